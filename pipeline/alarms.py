"""What the clock watches: each kind of trouble is said in the log, and posted where the operator wants to hear of it.

What is wrong is decided by `wrong`, which touches nothing. Nothing personal is in an alarm: kinds, counts and codes.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from redis.exceptions import RedisError

from pipeline import logs
from pipeline.health import LATE_SECONDS, AuthWatch
from pipeline.runtime import Stores
from pipeline.store.pulse import Pulse
from pipeline.store.tallies import INDIA, day_of

log = logs.get(__name__)

_LOOK_SECONDS = 15.0
_SILENCE = timedelta(minutes=15)
_GROWTH = timedelta(minutes=10)
# Business hours in India, Monday to Friday, as SUPPORT_HOURS says unless it is set.
_OPENS, _CLOSES, _WORKDAYS = timedelta(hours=9), timedelta(hours=18), range(5)
_MEMORY_SHARE = 0.8
_POST_SECONDS = (2, 3)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One kind of trouble, and in words what is the matter and what to do."""

    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Observed:
    """What an alarm may be about, at one moment. `memory_share` is 0 where Redis has no limit."""

    pulse: Pulse
    auth_is_there: bool
    failed_lately: int
    memory_share: float
    last_message: datetime | None
    messages_day_before: int


def wrong(seen: Observed, now: datetime) -> Iterator[Alarm]:
    """All that is wrong at `now`."""
    pulse = seen.pulse
    if _is_silent(seen, now):
        yield Alarm("silence", "Nobody has written for 15 minutes; does Twilio reach the webhook? See its debugger.")
    if pulse.oldest_seconds > LATE_SECONDS:
        yield Alarm("late", f"Somebody has waited {pulse.oldest_seconds:.0f} s for an answer; add workers.")
    if pulse.stopped_code:
        yield Alarm("sending_stopped", f"Twilio refuses everything, code {pulse.stopped_code}; check its credentials.")
    if seen.failed_lately:
        yield Alarm("failed_grows", f"{seen.failed_lately} more failed in ten minutes: python -m pipeline failed list")
    if not seen.auth_is_there:
        yield Alarm("auth_down", "The Auth API does not answer; OTPs that are owed are sent when it is back.")
    if seen.memory_share > _MEMORY_SHARE:
        yield Alarm("redis_memory", f"Redis has used {seen.memory_share:.0%} of its memory; at 90 % nothing comes in.")
    if not pulse.workers:
        yield Alarm("no_worker", "No worker runs, so nobody is answered; start python worker.py")


def _is_silent(seen: Observed, now: datetime) -> bool:
    local = now.astimezone(UTC) + INDIA
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    opening = now - (local - midnight) + _OPENS
    is_open = local.weekday() in _WORKDAYS and _OPENS <= local - midnight < _CLOSES
    if not is_open or not seen.messages_day_before:
        return False
    return now - max(opening, seen.last_message or opening) > _SILENCE


class Alarms:
    """Looks, and says what is wrong: each kind once in ten minutes, by whichever clock comes first."""

    def __init__(self, stores: Stores, auth: AuthWatch) -> None:
        self._stores = stores
        self._auth = auth
        self._webhook = stores.settings.alert_webhook_url

    def look(self, now: datetime) -> list[Alarm]:
        """One look at `now`; answers what was said. Raises RedisError."""
        said = [alarm for alarm in wrong(self._observed(now), now) if self._stores.alarm_notes.may_say(alarm.kind, now)]
        for alarm in said:
            log.error("alarm", alert=alarm.kind, words=alarm.words)
            self._post(alarm, now)
        return said

    def _observed(self, now: datetime) -> Observed:
        stores = self._stores
        ((_, day_before),) = stores.tallies.days(day_of(now) - timedelta(days=1), 1)
        memory: dict[str, Any] = stores.redis.info("memory")
        return Observed(
            pulse=stores.pulses.now(),
            auth_is_there=self._auth.is_healthy(),
            failed_lately=stores.failures.count_since(now - _GROWTH),
            memory_share=int(memory["used_memory"]) / (int(memory.get("maxmemory", 0)) or float("inf")),
            last_message=stores.alarm_notes.last_message(),
            messages_day_before=day_before.get("in", 0),
        )

    def _post(self, alarm: Alarm, now: datetime) -> None:
        if not self._webhook:
            return
        try:
            told = {"alert": alarm.kind, "text": alarm.words, "timestamp": now.isoformat()}
            requests.post(self._webhook, json=told, timeout=_POST_SECONDS, allow_redirects=False).raise_for_status()
        except requests.RequestException as error:
            # The address may hold a secret, so only the kind of error is told.
            log.error("alarm_not_posted", problem=type(error).__name__, alert=alarm.kind)


class Watch(threading.Thread):
    """The thread beside the clock's own, so that a slow webhook does not stop the schedule."""

    def __init__(self, alarms: Alarms, stopping: threading.Event) -> None:
        super().__init__(name="alarms", daemon=True)
        self._alarms = alarms
        self._stopping = stopping

    def run(self) -> None:
        """Looks every 15 s until the clock stops; a Redis that is away is waited for."""
        while not self._stopping.wait(_LOOK_SECONDS):
            try:
                self._alarms.look(datetime.now(UTC))
            except RedisError as error:
                log.warning("alarms_wait", error=error)
