"""Who could be reached: everybody with a live contact record, by the last step known and the last message."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from redis import Redis

from pipeline.session import STEPS
from pipeline.store import PREFIX, milliseconds
from pipeline.store.script import Script

_WINDOW = timedelta(hours=24)
_CHUNK = 5000


@dataclass(frozen=True, slots=True)
class Reach:
    """How many people of one step, opted out or not, wrote within 24 hours or before."""

    in_window: int
    outside_window: int
    opted_out: int


class Audience:
    """The people a broadcast can be for."""

    def __init__(self, redis: Redis, contact_days: int) -> None:
        self._redis = redis
        self._contact = timedelta(days=contact_days)
        self._opted_out = Script("opted_out")

    def reach(self, step: str, now: datetime) -> dict[str, Reach]:
        """By step (one, or all when empty), exact at `now`."""
        steps = [step] if step else list(STEPS)
        return {one: self._reach(one, now) for one in steps}

    def people(self, step: str, since: datetime) -> Iterator[list[tuple[str, float]]]:
        """Contact keys with the time of the last message (milliseconds), who wrote after `since`, in chunks; some come
        twice."""
        for one in [step] if step else list(STEPS):
            # Whoever writes meanwhile moves to the end, never past us: we go on from the last score, not the last rank.
            score = float(milliseconds(since))
            while chunk := self._range(one, f"({score}", "+inf", _CHUNK):
                score = chunk[-1][1]
                # Those with this very score may have been cut in two: they come once more, and whole.
                yield chunk + self._range(one, score, score, -1)

    def since(self, is_free: bool, now: datetime) -> datetime:
        """The earliest last message of somebody who can be reached with free text or with a template."""
        return now - (_WINDOW if is_free else self._contact)

    def _range(self, step: str, lowest: float | str, highest: float | str, at_most: int) -> list[tuple[str, float]]:
        found: Any = self._redis.zrangebyscore(
            f"{PREFIX}people:{step}", lowest, highest, start=0, num=at_most, withscores=True
        )
        return [(key, score) for key, score in found]

    def _reach(self, step: str, now: datetime) -> Reach:
        key = f"{PREFIX}people:{step}"
        window, contact = milliseconds(now - _WINDOW), milliseconds(now - self._contact)
        opted_in_window, opted_before = self._opted_out(self._redis, step, window, contact)
        in_window = int(self._redis.zcount(key, window + 1, "+inf"))
        before = int(self._redis.zcount(key, contact + 1, window))
        return Reach(in_window - opted_in_window, before - opted_before, opted_in_window + opted_before)
