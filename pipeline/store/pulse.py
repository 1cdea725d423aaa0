"""Is everything alive? Each worker process and clock says so every few seconds; this is where that stands."""

import secrets
from dataclasses import dataclass
from typing import Any, Literal

from redis import Redis

from pipeline.store.script import Script

# A process that has said nothing for this long counts as dead.
DEAD_AFTER_SECONDS = 15.0

Kind = Literal["worker", "clock"]


@dataclass(frozen=True, slots=True)
class Pulse:
    """How the service fares at one moment.

    `workers` are live worker processes, `queue_depth` jobs on the queue, `people_waiting` those whose message was not
    answered yet and `oldest_seconds` the age of the oldest such message. `stopped_code` is why Twilio refuses
    everything we send, 0 when it does not.
    """

    workers: int
    clock_is_alive: bool
    queue_depth: int
    people_waiting: int
    oldest_seconds: float
    stopped_code: int


class Pulses:
    """Reads the pulse. Raises RedisError."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._pulse = Script("pulse")

    def now(self) -> Pulse:
        """As things stand, one round trip."""
        answer: list[Any] = self._pulse(self._redis, int(DEAD_AFTER_SECONDS * 1000))
        clock, oldest, workers, depth, waiting, code = (_text(part) for part in answer)
        return Pulse(
            workers=int(workers),
            clock_is_alive=clock != "" and float(clock) < DEAD_AFTER_SECONDS * 1000,
            queue_depth=int(depth),
            people_waiting=int(waiting),
            oldest_seconds=float(oldest or 0) / 1000,
            stopped_code=int(code or 0),
        )


class Heartbeat:
    """One process's sign of life."""

    def __init__(self, redis: Redis, kind: Kind) -> None:
        self._redis = redis
        self._kind = kind
        self._name = secrets.token_hex(8)
        self._beat = Script("beat")

    def beat(self) -> None:
        """Still alive."""
        self._beat(self._redis, self._kind, self._name, 0)

    def end(self) -> None:
        """Gone, and not to be waited for."""
        self._beat(self._redis, self._kind, self._name, 1)


def _text(part: Any) -> str:
    return part.decode() if isinstance(part, bytes) else str(part)
