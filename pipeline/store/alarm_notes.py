"""What alarms lean on: when each kind was said last, and when anybody wrote last."""

from datetime import UTC, datetime

from redis import Redis

from pipeline.store import PREFIX, milliseconds
from pipeline.store.script import Script

_QUIET_MS = 10 * 60 * 1000


class AlarmNotes:
    """For all clocks together. Raises RedisError."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._alarm = Script("alarm")

    def may_say(self, kind: str, now: datetime) -> bool:
        """Whether an alarm of this kind is to be said at `now`; it then counts as said, and is not for ten minutes."""
        return bool(self._alarm(self._redis, kind, milliseconds(now), _QUIET_MS))

    def last_message(self) -> datetime | None:
        """When the last message of anybody came in."""
        stored = self._redis.get(f"{PREFIX}last_in")
        return datetime.fromtimestamp(int(stored) / 1000, UTC) if stored else None
