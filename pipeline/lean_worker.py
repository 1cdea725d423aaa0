"""RQ's worker, cut down to what a wake-up needs: 2 round trips to Redis a job instead of 27.

A job here may be lost or doubled without harm, so it is taken off the queue whole before it is done (see
`wakeups.WakeUpQueue`), nothing is noted of its start and end, and this worker's state is told every few seconds. This
leans on the inside of RQ, therefore `rq==3.0.*` is pinned and `tests/test_lean_worker.py` counts round trips and
left-over keys.
"""

import time

from redis import Redis
from redis.client import Pipeline
from rq import SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.queue import Queue
from rq.worker import WorkerStatus

from pipeline import logs
from pipeline.wakeups import WakeUp, WakeUpQueue

log = logs.get(__name__)

_HEARTBEAT_SECONDS = 5.0
_DEQUEUE_SECONDS = 1


class LeanWorker(SimpleWorker):
    """One of several workers that run as threads of a process, which owns the signals and calls `stop`."""

    job_class = WakeUp
    queue_class = WakeUpQueue

    def __init__(self, queue: WakeUpQueue, connection: Redis) -> None:
        super().__init__([queue], connection=connection, worker_ttl=30, log_job_description=False)
        self._beat_at = 0.0
        self._asked_at = 0.0
        self._done = 0

    def stop(self) -> None:
        """Ends the loop as soon as no job is in hand."""
        self._stop_requested = True

    @property
    def dequeue_timeout(self) -> int:
        """Seconds one wait for a job takes: how long `stop` may take to be noticed."""
        return _DEQUEUE_SECONDS

    @property
    def should_run_maintenance_tasks(self) -> bool:
        """Read at the top of both of RQ's loops, where no job is in hand: the one safe place to stop."""
        if self._stop_requested:
            raise StopRequested
        return bool(super().should_run_maintenance_tasks)

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Every few seconds: that this worker lives, and what it has done since, for `rq info` and its like."""
        if time.monotonic() - self._beat_at < _HEARTBEAT_SECONDS:
            return
        with self.connection.pipeline() as beat:
            super().heartbeat(timeout, beat)
            super().set_state(WorkerStatus.BUSY if self._done else WorkerStatus.IDLE, beat)
            beat.hincrby(self.key, "successful_job_count", self._done)
            beat.execute()
        self._beat_at, self._done = time.monotonic(), 0

    def check_for_suspension(self, burst: bool) -> None:
        """Whether `rq suspend` was called, every few seconds."""
        if time.monotonic() - self._asked_at >= _HEARTBEAT_SECONDS:
            super().check_for_suspension(burst)
            self._asked_at = time.monotonic()

    def set_state(self, state: str, pipeline: Pipeline | None = None) -> None:
        """Told to Redis with the heartbeat only."""
        self._state = state

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Runs one job."""
        try:
            job.perform()
        except Exception as error:
            log.error("job_raised", error=error, job=job.func_name)
            # For the registry of failed jobs, without the words of the exception: they may quote a person.
            job.save()
            self.handle_job_failure(job, queue, exc_string=type(error).__name__)
        else:
            self._done += 1

    def _install_signal_handlers(self) -> None:
        pass

    def subscribe(self) -> None:
        """No remote commands: each would cost a connection and a thread."""

    def unsubscribe(self) -> None:
        """Nothing was subscribed to."""
