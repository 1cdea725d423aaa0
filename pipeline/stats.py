"""How registration goes: sessions, funnel, messages, by the counters. Reading it costs a few round trips, no scan."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from pipeline.session import STEPS, Step
from pipeline.store.broadcasts import Broadcasts
from pipeline.store.tallies import Counts, Tallies, day_of, median_seconds

_WEEK = 7
_VALID = ("answered", "otp")
_INVALID = ("invalid", "muted")


@dataclass(frozen=True, slots=True)
class StepStats:
    """One step of the last seven days: how many people came to it, answered it, and how.

    `invalid_rate` is the share of wrong answers among all; `median_seconds` from question to valid answer, None when
    nobody answered.
    """

    step: str
    reached: int
    answered: int
    median_seconds: float | None
    invalid_rate: float


@dataclass(frozen=True, slots=True)
class DayStats:
    """One day in India: conversations begun, registrations, messages in, out, delivered, read and failed."""

    date: str
    started: int
    completed: int
    messages_in: int
    messages_out: int
    delivered: int
    read: int
    failed: int


@dataclass(frozen=True, slots=True)
class Stats:
    """Everything that `GET /stats` tells. Rates are shares from 0 to 1, of the last seven days."""

    timestamp: str
    total_sessions: int
    step_distribution: dict[str, int]
    completion_rate: float
    error_rates: dict[str, float]
    today: DayStats
    last_7_days: tuple[DayStats, ...]
    funnel: tuple[StepStats, ...]
    messages: dict[str, int]
    broadcasts: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def read(tallies: Tallies, broadcasts: Broadcasts, now: datetime) -> Stats:
    """The figures as of `now` (aware). Raises RedisError."""
    days = tallies.days(day_of(now), _WEEK)
    week = _sum(counts for _, counts in days)
    live = tallies.live_sessions(now)
    told = tuple(_day(day, counts) for day, counts in days)
    started, completed = sum(day.started for day in told), sum(day.completed for day in told)
    return Stats(
        timestamp=now.isoformat(),
        total_sessions=sum(live.values()),
        step_distribution=live,
        completion_rate=_share(completed, started),
        error_rates=_error_rates(week),
        today=told[-1],
        last_7_days=told,
        funnel=tuple(_step(week, step) for step in STEPS),
        messages=_messages(week),
        broadcasts={
            "open": [
                {"id": one.id, "state": one.state, "total": one.total, "sent": one.sent, "failed": one.failed}
                for one in broadcasts.open()
            ]
        },
    )


def turns(counts: Counts, step: str, outcomes: Iterable[str]) -> int:
    """How many turns at a step had one of these outcomes."""
    return sum(counts.get(f"turn:{step}:{outcome}", 0) for outcome in outcomes)


def last_days(tallies: Tallies, now: datetime, number: int) -> tuple[DayStats, ...]:
    """So many days up to today, the oldest first. Raises RedisError."""
    return tuple(_day(day, counts) for day, counts in tallies.days(day_of(now), number))


def twilio_codes(tallies: Tallies, now: datetime) -> list[tuple[int, int]]:
    """Twilio's error codes of the last seven days and how often each came, the most frequent first."""
    week = _sum(counts for _, counts in tallies.days(day_of(now), _WEEK))
    found = [(int(name.removeprefix("code:")), count) for name, count in week.items() if name.startswith("code:")]
    return sorted(found, key=lambda pair: -pair[1])


def _day(day: date, counts: Counts) -> DayStats:
    messages = _messages(counts)
    return DayStats(
        date=day.isoformat(),
        started=_reached(counts, "name"),
        completed=_reached(counts, "completed"),
        messages_in=messages["in"],
        messages_out=messages["out"],
        delivered=messages["delivered"],
        read=messages["read"],
        failed=messages["failed"],
    )


def _step(counts: Counts, step: Step) -> StepStats:
    valid, invalid = turns(counts, step, _VALID), turns(counts, step, _INVALID)
    return StepStats(
        step=step,
        reached=_reached(counts, step),
        answered=valid,
        median_seconds=median_seconds(counts, step),
        invalid_rate=_share(invalid, valid + invalid),
    )


def _reached(counts: Counts, step: Step) -> int:
    """Only on the way forward: whoever goes back to a step to change an answer has been there."""
    before = ("none", *STEPS[: STEPS.index(step)])
    return sum(counts.get(f"step:{one}>{step}", 0) for one in before)


def _messages(counts: Counts) -> dict[str, int]:
    return {
        "in": counts.get("in", 0),
        "out": counts.get("out", 0),
        "delivered": counts.get("status:delivered", 0),
        "read": counts.get("status:read", 0),
        "failed": counts.get("status:failed", 0) + counts.get("status:undelivered", 0) + counts.get("dropped", 0),
    }


def _error_rates(counts: Counts) -> dict[str, float]:
    valid = sum(turns(counts, step, _VALID) for step in STEPS)
    invalid = sum(turns(counts, step, _INVALID) for step in STEPS)
    asked = sum(number for name, number in counts.items() if name.startswith("answer:") and name != "answer:Erased")
    messages = _messages(counts)
    return {
        "invalid_answers": _share(invalid, valid + invalid),
        "auth_unavailable": _share(counts.get("answer:AuthUnavailable", 0), asked),
        "messages_failed": _share(messages["failed"], messages["out"] + counts.get("dropped", 0)),
    }


def _sum(days: Iterable[Counts]) -> Counts:
    added: Counter[str] = Counter()
    for counts in days:
        added.update(counts)
    return added


def _share(part: int, whole: int) -> float:
    return round(min(part / whole, 1.0), 4) if whole else 0.0
