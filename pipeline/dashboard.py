"""What the dashboard shows, read in a few round trips and put into words. Nobody's name, number or text is on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from pipeline import stats
from pipeline.broadcast import Broadcast
from pipeline.health import Health, judged, read_pulse
from pipeline.runtime import Stores
from pipeline.stats import DayStats, Stats, StepStats
from pipeline.store.failures import Failure
from pipeline.store.sending import sent_within_a_second
from pipeline.twilio_api.codes import advice, decision_of

_INDIA = timezone(timedelta(hours=5, minutes=30))
_DAYS = 30
_SHOWN = 50
_WINDOW = timedelta(hours=24)
_CHART_HEIGHT = 100
# The width of a day, gap included, in the units of the chart.
_BAR_STEP = 10

# What is said after something was done; the address names it, so that nobody can put words of their own there.
SAYINGS = {
    "broadcast-paused": "The broadcast is paused.",
    "broadcast-running": "The broadcast goes on.",
    "broadcast-preparing": "The broadcast goes on: its list of recipients is being made.",
    "broadcast-scheduled": "The broadcast waits for its time.",
    "broadcast-cancelled": "The broadcast is cancelled.",
    "broadcast-done": "The broadcast was over already.",
    "broadcast-unknown": "There is no such broadcast.",
    "retry-ok": "The message is on its way again.",
    "retry-gone": "That message is not on the failed list any more.",
    "retry-textless": "The text of that message was not kept, so it cannot be sent again.",
    "retry-stale": "The person has written since, so it would answer the wrong question. Drop it.",
    "dropped": "The message is off the list.",
    "replied": "Your answer is on its way.",
    "answered": "Nobody waits there any more: the person was answered already.",
    "bad-length": "An answer has 1 to 1,600 characters. Nothing was sent.",
    "busy": "The bot is talking with this person right now. Try again in a few seconds.",
    "stranger": "Nothing is kept about this person any more, so they cannot be answered.",
    "old-form": "That form was too old, so nothing was done. Please sign in again.",
}
REFUSALS = {
    401: "That is not the admin token.",
    403: "The dashboard is closed: ADMIN_TOKEN is not set on the server.",
    429: "Too many wrong tries. Come again in a minute.",
    503: "Redis cannot be reached, so nobody can sign in right now.",
}


@dataclass(frozen=True, slots=True)
class Service:
    """One part: `state` is healthy, degraded, unhealthy or unknown; `words` say what is wrong."""

    name: str
    state: str
    words: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of the chart; heights and places in the chart's own units."""

    day: DayStats
    x: float
    started: float
    completed: float


@dataclass(frozen=True, slots=True)
class FunnelRow:
    """One step; `share` of those who came to the first step in percent, `lost` of those who came to this one."""

    step: StepStats
    share: float
    lost: float | None


@dataclass(frozen=True, slots=True)
class BroadcastRow:
    """One broadcast; `percent` of its recipients are served, `starts` says when while it waits for its time."""

    broadcast: Broadcast
    percent: float
    starts: str
    can: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FailureRow:
    """One failed message and what can be done about it."""

    failure: Failure
    advice: str
    ago: str


@dataclass(frozen=True, slots=True)
class CodeRow:
    """How often a code of Twilio's came in the last seven days, what it means and what helps."""

    code: int
    count: int
    meaning: str
    advice: str


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody who asked for the team; `is_late`: WhatsApp may refuse an answer by now."""

    contact: str
    asked_at: datetime
    ago: str
    is_late: bool


@dataclass(frozen=True, slots=True)
class View:
    """Everything on the page."""

    at: str
    health: Health
    services: tuple[Service, ...]
    stats: Stats
    month: tuple[Bar, ...]
    most_a_day: int
    registered: int
    funnel: tuple[FunnelRow, ...]
    sending: int
    allowed: int
    codes: tuple[CodeRow, ...]
    broadcasts: tuple[BroadcastRow, ...]
    failed: int
    failures: tuple[FailureRow, ...]
    support: tuple[Asking, ...]


def read(stores: Stores, auth_is_there: bool, now: datetime) -> View:
    """The page as of `now` (aware). Raises RedisError."""
    health = judged(read_pulse(stores.pulses), auth_is_there)
    figures = stats.read(stores.tallies, stores.broadcasts, now)
    days = stats.last_days(stores.tallies, now, _DAYS)
    allowed = stores.settings.twilio_messages_per_second
    sender = stores.hasher.contact_key(stores.settings.twilio_whatsapp_number)
    return View(
        at=clock_time(now),
        health=health,
        services=tuple(_service(name, words) for name, words in health.services.items()),
        stats=figures,
        month=bars(days),
        most_a_day=max(max(day.started, day.completed) for day in days),
        registered=sum(day.completed for day in days),
        funnel=funnel(figures.funnel),
        sending=sent_within_a_second(stores.redis, sender, allowed, now),
        allowed=allowed,
        codes=tuple(_codes(stats.twilio_codes(stores.tallies, now))),
        broadcasts=tuple(_broadcast(one) for one in stores.broadcasts.newest(20)),
        failed=stores.failures.count(),
        failures=tuple(FailureRow(one, advice(one.code), ago(one.at, now)) for one in stores.failures.newest(_SHOWN)),
        support=tuple(Asking(key, at, ago(at, now), now - at > _WINDOW) for key, at in stores.support.waiting(_SHOWN)),
    )


def bars(days: Sequence[DayStats]) -> tuple[Bar, ...]:
    """The days as bars, the highest as high as the chart."""
    unit = _CHART_HEIGHT / max(1, *(max(day.started, day.completed) for day in days))
    return tuple(
        Bar(day, number * _BAR_STEP + 1, round(day.started * unit, 1), round(day.completed * unit, 1))
        for number, day in enumerate(days)
    )


def funnel(steps: Sequence[StepStats]) -> tuple[FunnelRow, ...]:
    """The steps with how many were lost at each; those who came before the week began are not counted as lost."""
    first = max(1, *(step.reached for step in steps))
    return tuple(
        FunnelRow(
            step,
            round(100 * step.reached / first, 1),
            None if step.step == "completed" or not step.reached else max(0.0, 1 - step.answered / step.reached),
        )
        for step in steps
    )


def clock_time(moment: datetime) -> str:
    """As the team's clock shows it, in India."""
    return moment.astimezone(_INDIA).strftime("%-d %b, %H:%M:%S IST")


def ago(moment: datetime, now: datetime) -> str:
    """How long it is, in the largest unit that fits."""
    seconds = max(0, int((now.astimezone(UTC) - moment).total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def _service(name: str, words: str) -> Service:
    state, _, why = words.partition(": ")
    return Service(name.replace("_", " "), state, why)


def _broadcast(one: Broadcast) -> BroadcastRow:
    can: tuple[str, ...] = ()
    if one.state in ("scheduled", "preparing", "running"):
        can = ("pause", "cancel")
    elif one.state == "paused":
        can = ("resume", "cancel")
    percent = round(100 * (one.total - one.open) / one.total, 1) if one.total else 0.0
    return BroadcastRow(one, percent, clock_time(one.send_at) if one.state == "scheduled" else "", can)


def _codes(counts: Sequence[tuple[int, int]]) -> list[CodeRow]:
    return [CodeRow(code, count, decision_of(code) or "unknown", advice(code)) for code, count in counts]
