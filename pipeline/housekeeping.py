"""The thread beside a worker process's other threads: it sweeps, and keeps the locks in use alive."""

import threading
import time
from contextlib import suppress

from redis.exceptions import RedisError

from pipeline import jobs, logs
from pipeline.runtime import Runtime
from pipeline.store.pulse import Heartbeat

log = logs.get(__name__)

# A sweep comes when somebody is due, as when their answer had to wait for the second between two. Whoever becomes due
# meanwhile is seen with the next, after:
_SWEEP_SECONDS = 0.2
_SWEEPS_APART_SECONDS = 0.05
_RENEW_SECONDS = 2.0
_STOPPING_PAUSE_SECONDS = 0.1
# Nothing we do for one person takes this long. A thread that hangs longer loses its lock, and the person is free.
_HELD_AT_MOST_SECONDS = 90.0


class Housekeeping(threading.Thread):
    """Sweeps whenever somebody is due and renews locks every two seconds, until the process stops."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(name="housekeeping", daemon=True)
        self._runtime = runtime
        self._heartbeat = Heartbeat(runtime.redis, "worker")

    def run(self) -> None:
        """The loop; a Redis that is away is waited for."""
        renewed_at, pause = float("-inf"), _SWEEP_SECONDS
        while not self._runtime.stopping.wait(pause) or self._runtime.holds.younger_than(_HELD_AT_MOST_SECONDS):
            pause = _SWEEP_SECONDS
            try:
                if time.monotonic() - renewed_at >= _RENEW_SECONDS:
                    self._renew()
                    self._heartbeat.beat()
                    renewed_at = time.monotonic()
                if not self._runtime.stopping.is_set():
                    pause = min(_SWEEP_SECONDS, max(_SWEEPS_APART_SECONDS, jobs.sweep_once(self._runtime)))
            except RedisError as error:
                log.warning("housekeeping_waits", error=error)
            if self._runtime.stopping.is_set():
                # The wait above returns at once from now on.
                time.sleep(_STOPPING_PAUSE_SECONDS)
        with suppress(RedisError):
            self._heartbeat.end()

    def _renew(self) -> None:
        holds = self._runtime.holds.younger_than(_HELD_AT_MOST_SECONDS)
        lost = self._runtime.schedule.renew(holds)
        # What was given back meanwhile is not lost.
        for hold in self._runtime.holds.younger_than(_HELD_AT_MOST_SECONDS):
            if hold in holds and hold.key in lost:
                log.debug("lock_not_ours", contact=hold.key)
