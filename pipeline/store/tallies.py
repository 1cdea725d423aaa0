"""Counters: what happened, by day of India and in all. They are written by the scripts that do what is counted."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from redis import Redis

from pipeline.session import STEPS
from pipeline.store import PREFIX, milliseconds

# Upper bounds of the histograms in milliseconds, as in lua/prelude.lua; what took longer stands under `more`.
BOUNDS = (10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000)
INDIA = timedelta(hours=5, minutes=30)

Counts = Mapping[str, int]


def day_of(now: datetime) -> date:
    """The day it is in India."""
    return (now.astimezone(UTC) + INDIA).date()


class Tallies:
    """Reads the counters. Raises RedisError."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def days(self, last: date, number: int) -> list[tuple[date, Counts]]:
        """The counters of so many days up to `last`, the oldest first; one round trip."""
        days = [last - timedelta(days=back) for back in reversed(range(number))]
        with self._redis.pipeline(transaction=False) as pipeline:
            for day in days:
                pipeline.hgetall(f"{PREFIX}tally:{(day - date(1970, 1, 1)).days}")
            return list(zip(days, map(_counts, pipeline.execute()), strict=True))

    def totals(self) -> Counts:
        """All counters since the beginning."""
        return _counts(self._redis.hgetall(f"{PREFIX}totals"))

    def live_sessions(self, now: datetime) -> dict[str, int]:
        """How many sessions stand at each step and have not expired at `now`."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for step in STEPS:
                pipeline.zcount(f"{PREFIX}live:{step}", f"({milliseconds(now)}", "+inf")
            return dict(zip(STEPS, pipeline.execute(), strict=True))

    def add_times(self, name: str, seen: Mapping[int, int], total: int) -> None:
        """Adds observations to a histogram: how many within each bound (0: longer than all), and their sum in ms."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for bound, number in seen.items():
                pipeline.hincrby(f"{PREFIX}totals", f"time:{name}:{bound or 'more'}", number)
            pipeline.hincrby(f"{PREFIX}totals", f"time:{name}:sum", total)
            pipeline.execute()


def histogram(counts: Counts, name: str) -> list[int]:
    """How many observations fell into each bound, the last those beyond all."""
    return [counts.get(f"time:{name}:{bound}", 0) for bound in (*BOUNDS, "more")]


def median_seconds(counts: Counts, name: str) -> float | None:
    """The median, by the bound of the histogram that holds it; None without observations."""
    seen = histogram(counts, name)
    middle, so_far = sum(seen) / 2, 0
    for number, bound in zip(seen, (*BOUNDS, BOUNDS[-1]), strict=True):
        so_far += number
        if number and so_far >= middle:
            return bound / 1000
    return None


def _counts(raw: Any) -> Counts:
    return {_text(name): int(value) for name, value in raw.items()}


def _text(part: Any) -> str:
    return part.decode() if isinstance(part, bytes) else str(part)
