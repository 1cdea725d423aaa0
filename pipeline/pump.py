"""The thread of a worker process that hands out recipients of broadcasts; any number of them keep one pace."""

import threading

from redis.exceptions import RedisError

from pipeline import broadcasts, logs
from pipeline.runtime import Runtime

log = logs.get(__name__)

_BUSY_SECONDS = 0.1
_IDLE_SECONDS = 1.0


class Pump(threading.Thread):
    """Ten times a second while a broadcast runs, once a second otherwise, until the process stops."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(name="pump", daemon=True)
        self._runtime = runtime

    def run(self) -> None:
        """The loop; a Redis that is away is waited for."""
        pause = _IDLE_SECONDS
        while not self._runtime.stopping.wait(pause):
            try:
                is_busy = self._runtime.broadcasts.are_open()
                if is_busy:
                    broadcasts.pump(self._runtime)
                pause = _BUSY_SECONDS if is_busy else _IDLE_SECONDS
            except RedisError as error:
                log.warning("pump_waits", error=error)
                pause = _IDLE_SECONDS
