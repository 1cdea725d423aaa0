"""The thread of a worker process that hands out recipients of broadcasts; any number of them keep one pace."""

import threading
import time

from redis.exceptions import RedisError

from pipeline import broadcasts, logs
from pipeline.runtime import Runtime

log = logs.get(__name__)

# Many small batches: those of one go to work at once, and a reply that comes just then would wait for all of them.
_BUSY_SECONDS = 0.02
_IDLE_SECONDS = 0.2
# The slowest pace hands out one a second.
_BUSY_FOR_SECONDS = 2.0


class Pump(threading.Thread):
    """Fifty times a second while a broadcast runs, five times a second otherwise, until the process stops."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(name="pump", daemon=True)
        self._runtime = runtime

    def run(self) -> None:
        """The loop; a Redis that is away is waited for."""
        handed_at = float("-inf")
        while not self._runtime.stopping.wait(self._pause(handed_at)):
            try:
                if self._runtime.broadcasts.are_open() and broadcasts.pump(self._runtime):
                    handed_at = time.monotonic()
            except RedisError as error:
                log.warning("pump_waits", error=error)

    def _pause(self, handed_at: float) -> float:
        return _BUSY_SECONDS if time.monotonic() - handed_at < _BUSY_FOR_SECONDS else _IDLE_SECONDS
