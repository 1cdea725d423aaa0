"""How fast we send right now."""

from datetime import datetime

from redis import Redis

from pipeline.store import PREFIX, milliseconds


def sent_within_a_second(redis: Redis, sender: str, most: int, now: datetime) -> int:
    """Attempts of one sender (its contact key) in the second before `now`; never more than `most` are counted."""
    since = milliseconds(now) - 1000
    return sum(int(float(str(at))) > since for at in redis.lrange(f"{PREFIX}pace:{sender}", 0, most - 1))
