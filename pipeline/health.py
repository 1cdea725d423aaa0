"""Is it well, and if not, what is wrong: told by the receiver, by the doctor and to the alarms."""

import threading
import time
from dataclasses import dataclass

from redis.exceptions import RedisError

from pipeline.auth_api import AuthApi
from pipeline.store.auth_gate import AuthHealth
from pipeline.store.pulse import Pulse, Pulses

# A message that waits longer is worth a look.
LATE_SECONDS = 60.0
_AUTH_ASKED_EVERY_SECONDS = 10.0
_LOOKED_EVERY_SECONDS = 2.0
_ASKING_TAKES_SECONDS = 2.5
# With the 0.8 s that Redis may take, an answer comes within 2 s.
_AUTH_WAITED_FOR_SECONDS = 0.9


@dataclass(frozen=True, slots=True)
class Health:
    """`status` is healthy, degraded or unhealthy; `services` says by name what is wrong, in words."""

    status: str
    services: dict[str, str]
    queue_depth: int
    oldest_seconds: float


def judged(pulse: Pulse | None, auth_is_there: bool) -> Health:
    """What a pulse (None: Redis did not answer) and the Auth API's state amount to."""
    auth = "healthy" if auth_is_there else "unhealthy: does not answer; OTPs are sent when it is back"
    if pulse is None:
        unknown = "unknown: Redis cannot be reached"
        services = {"redis": "unhealthy: cannot be reached", "auth_service": auth}
        return Health("unhealthy", services | dict.fromkeys(("twilio", "workers", "clock"), unknown), 0, 0.0)
    services = {
        "redis": "healthy",
        "auth_service": auth,
        "twilio": f"unhealthy: sending is stopped, code {pulse.stopped_code}" if pulse.stopped_code else "healthy",
        "workers": _workers(pulse),
        "clock": "healthy" if pulse.clock_is_alive else "unhealthy: no clock runs",
    }
    status = "healthy" if all(words == "healthy" for words in services.values()) else "degraded"
    return Health(status, services, pulse.queue_depth, pulse.oldest_seconds)


def _workers(pulse: Pulse) -> str:
    if not pulse.workers:
        return "unhealthy: no worker runs"
    if pulse.oldest_seconds > LATE_SECONDS:
        return f"degraded: the oldest message has waited {pulse.oldest_seconds:.0f} s"
    return "healthy"


class AuthWatch:
    """The Auth API's health, asked for at most once in ten seconds whoever wants to know, in whatever process; waited
    for but a moment. While Redis is away each process asks for itself."""

    def __init__(self, auth: AuthApi, shared: AuthHealth) -> None:
        self._auth = auth
        self._shared = shared
        self._guard = threading.Lock()
        self._looked_at = self._asked_at = float("-inf")
        self._looking = threading.Thread()
        self._is_healthy = False

    def is_healthy(self) -> bool:
        """As of the last time it was asked."""
        with self._guard:
            if time.monotonic() - self._looked_at >= _LOOKED_EVERY_SECONDS and not self._looking.is_alive():
                self._looked_at = time.monotonic()
                self._looking = threading.Thread(target=self._look, name="auth-health", daemon=True)
                self._looking.start()
        if self._looking.is_alive():
            self._looking.join(_AUTH_WAITED_FOR_SECONDS)
        return self._is_healthy

    def _look(self) -> None:
        try:
            if self._shared.may_ask():
                self._ask()
                self._shared.note(self._is_healthy)
            else:
                self._hear()
        except RedisError:
            if time.monotonic() - self._asked_at >= _AUTH_ASKED_EVERY_SECONDS:
                self._ask()

    def _ask(self) -> None:
        self._asked_at = time.monotonic()
        self._is_healthy = self._auth.is_healthy()

    def _hear(self) -> None:
        """What another heard; it may be asking just now."""
        until = time.monotonic() + _ASKING_TAKES_SECONDS
        while (known := self._shared.known()) is None and time.monotonic() < until:
            time.sleep(0.1)
        self._is_healthy = bool(known)


def read_pulse(pulses: Pulses) -> Pulse | None:
    """The pulse, or None while Redis is away."""
    try:
        return pulses.now()
    except RedisError:
        return None
