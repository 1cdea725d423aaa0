"""The thread of a worker process that hands out recipients of broadcasts; any number of them keep one pace."""

import threading
import time

from redis.exceptions import RedisError

from pipeline import broadcasts, logs
from pipeline.runtime import Runtime

log = logs.get(__name__)

_BUSY_SECONDS = 0.02
_IDLE_SECONDS = 0.1
# The slowest pace hands out one a second.
_BUSY_FOR_SECONDS = 2.0


class Pump(threading.Thread):
    """Fifty times a second while a broadcast runs, ten times a second otherwise, until the process stops."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(name="pump", daemon=True)
        self._runtime = runtime
        self._handed_at = float("-inf")

    def run(self) -> None:
        """The loop; a Redis that is away is waited for."""
        pause = _IDLE_SECONDS
        while not self._runtime.stopping.wait(pause):
            try:
                pause = self._hand_out()
            except RedisError as error:
                log.warning("pump_waits", error=error)
                pause = _IDLE_SECONDS

    def _hand_out(self) -> float:
        """Wakes a worker for each of the next recipients; answers the seconds to wait before the next hand-out."""
        keys = broadcasts.pump(self._runtime) if self._runtime.broadcasts.are_open() else []
        if not keys:
            is_busy = time.monotonic() - self._handed_at < _BUSY_FOR_SECONDS
            return _BUSY_SECONDS if is_busy else _IDLE_SECONDS
        self._handed_at = time.monotonic()
        # Evenly: a reply that comes while many are at work at once would wait for all of them.
        gap = _BUSY_SECONDS / len(keys)
        for number, key in enumerate(keys):
            if number:
                self._runtime.stopping.wait(gap)
            self._runtime.wakeups.wake([key])
        return gap
