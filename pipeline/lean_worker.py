"""RQ's worker, cut down to what a wake-up needs: 4 round trips to Redis a job instead of 27.

A job here may be lost or doubled without harm, so its bookkeeping may be coarse: worker state and suspension are looked
at every few seconds, and a job's start and end are one transaction each. This leans on the inside of RQ, therefore
`rq==3.0.*` is pinned and `tests/test_lean_worker.py` counts round trips and left-over keys.
"""

import time

from redis import Redis
from redis.client import Pipeline
from rq import SimpleWorker
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.queue import Queue
from rq.utils import now
from rq.worker import WorkerStatus

from pipeline import logs
from pipeline.wakeups import WakeUp

log = logs.get(__name__)

_HEARTBEAT_SECONDS = 5.0
_DEQUEUE_SECONDS = 1


class LeanWorker(SimpleWorker):
    """One of several workers that run as threads of a process, which owns the signals and calls `stop`."""

    job_class = WakeUp

    def __init__(self, queue: Queue, connection: Redis) -> None:
        super().__init__([queue], connection=connection, worker_ttl=30, log_job_description=False)
        self._beat_at = 0.0
        self._asked_at = 0.0
        self.log_result_lifespan = False

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
        """That this worker lives, every few seconds."""
        if pipeline is not None or time.monotonic() - self._beat_at >= _HEARTBEAT_SECONDS:
            super().heartbeat(timeout, pipeline)
            self._beat_at = time.monotonic()

    def check_for_suspension(self, burst: bool) -> None:
        """Whether `rq suspend` was called, every few seconds."""
        if time.monotonic() - self._asked_at >= _HEARTBEAT_SECONDS:
            super().check_for_suspension(burst)
            self._asked_at = time.monotonic()

    def set_state(self, state: str, pipeline: Pipeline | None = None) -> None:
        """Told to Redis only with what is sent anyway."""
        self._state = state
        if pipeline is not None:
            super().set_state(state, pipeline)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Runs one job: one transaction before, one after."""
        with self.connection.pipeline() as pipeline:
            execution = Execution.create(job, self.get_heartbeat_ttl(job), pipeline, self.name)
            self.set_state(WorkerStatus.BUSY, pipeline)
            job.prepare_for_execution(self.name, pipeline)
            pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
            pipeline.execute()
        job.started_at = now()
        try:
            job.perform()
        except Exception as error:
            log.error("job_raised", error=error, job=job.func_name)
            # RQ keeps the words of an exception, in its log and in Redis, and they may quote a person.
            wordless = RuntimeError(type(error).__name__)
            self._finalize_failure(job, queue, execution, (RuntimeError, wordless, None))
            return
        with self.connection.pipeline() as pipeline:
            self.increment_successful_job_count(pipeline)
            execution.delete(job, pipeline)
            # A wake-up goes; a job of the clock stays, to be scheduled again.
            if job.get_result_ttl(0) == 0:
                pipeline.delete(job.key)
            self.set_state(WorkerStatus.IDLE, pipeline)
            pipeline.execute()

    def _install_signal_handlers(self) -> None:
        pass

    def subscribe(self) -> None:
        """No remote commands: each would cost a connection and a thread."""

    def unsubscribe(self) -> None:
        """Nothing was subscribed to."""
