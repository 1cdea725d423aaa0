"""Who asked for the team, and waits for an answer."""

from datetime import UTC, datetime
from typing import Any

from redis import Redis

from pipeline.store import PREFIX

_KEY = f"{PREFIX}support"


class Support:
    """Contact keys by the time they asked; the turn that asks writes them."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def waiting(self, at_most: int = 100) -> list[tuple[str, datetime]]:
        """Whoever asked, longest waiting first."""
        found: Any = self._redis.zrange(_KEY, 0, at_most - 1, withscores=True)
        return [(key, datetime.fromtimestamp(asked_at / 1000, UTC)) for key, asked_at in found]

    def is_waiting(self, key: str) -> bool:
        """Whether this person asked, and nobody has answered yet."""
        return self._redis.zscore(_KEY, key) is not None

    def answered(self, key: str) -> None:
        """No longer waiting."""
        self._redis.zrem(_KEY, key)
