"""Who is to be looked after when: claiming the overdue, keeping held locks alive."""

from collections.abc import Iterable

from redis import Redis

from pipeline.store import PREFIX
from pipeline.store.script import Script
from pipeline.store.turns import LOCK_MS, Hold


class Schedule:
    """The sorted set of people with something waiting, by the time they are due."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._claim, self._renew = Script("claim"), Script("renew")

    def claim(self, at_most: int = 100) -> tuple[list[str], float]:
        """Contact keys of people overdue, each claimed for 10 s, whom the caller wakes; and seconds until somebody is
        due next, infinite when nobody is."""
        keys, milliseconds = self._claim(self._redis, at_most)
        return keys, float("inf") if milliseconds == "" else milliseconds / 1000

    def renew(self, holds: Iterable[Hold]) -> set[str]:
        """Keeps locks alive; returns the keys of those that are no longer ours."""
        pairs = [part for hold in holds for part in (hold.key, hold.token)]
        return set(self._renew(self._redis, LOCK_MS, *pairs)) if pairs else set()

    def waiting(self) -> int:
        """How many people have something waiting."""
        return int(self._redis.zcard(f"{PREFIX}due"))
