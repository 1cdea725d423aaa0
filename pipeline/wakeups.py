"""The queue, and the only kind of job on it: a wake-up. The truth is in the inboxes; a job may be lost or doubled.

A job carries a key and a MessageSid, as JSON. Whoever can write to Redis can write jobs, so a job that names any
function but ours, or a callback, is refused when it is read.
"""

import json
import zlib
from collections.abc import Iterable
from typing import Any, Self

from redis import Redis
from redis.client import Pipeline
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.utils import now, utcformat

QUEUE = "msme"
# The jobs of the clock, which come back, are named so; of every other nothing is left once it was taken off the queue.
CLOCK_JOBS = "clock-"
_FUNCTIONS = frozenset(f"pipeline.jobs.{name}" for name in ("wake", "sweep", "catch_up", "upkeep", "broadcast"))
_WAKE = "pipeline.jobs.wake"
_FAILURE_SECONDS = 3600


class WakeUp(Job):
    """A job that is read as JSON, whatever it says of itself, and that runs only our own functions, nothing before or
    after them."""

    def __init__(self, id: str | None = None, connection: Any = None, serializer: Any = None) -> None:
        super().__init__(id, connection=connection)
        # RQ would look into a serializer that it is given, again for every job.
        self.serializer = JSONSerializer

    def restore(self, raw_data: Any) -> Any:
        """Reads a stored job. One that is damaged or not ours counts as none: RQ passes over it and goes on."""
        kept = {name: value for name, value in raw_data.items() if b"callback" not in name and b"webhook" not in name}
        try:
            super().restore(kept)
            is_ours = self.func_name in _FUNCTIONS and self.instance is None
        except Exception as error:
            raise NoSuchJobError(f"a job cannot be read: {type(error).__name__}") from None
        if not is_ours:
            raise NoSuchJobError("a job names a function that is not ours")

    def to_dict(self, include_meta: bool = True, include_result: bool = True) -> dict[str, Any]:
        """What is stored, without the many fields that are empty."""
        return {name: value for name, value in super().to_dict(include_meta, include_result).items() if value != ""}


class WakeUpQueue(Queue):
    """RQ's queue; what is put on it and taken off it makes one entry less in Redis, and one round trip less."""

    @classmethod
    def over(cls, connection: Redis) -> Self:
        """Our one queue, over this connection."""
        return cls(QUEUE, connection=connection, job_class=WakeUp, serializer=JSONSerializer)

    def _persist_job(self, job: Job, pipeline: Pipeline, status: JobStatus = JobStatus.QUEUED) -> None:
        """Stores a job. RQ would store its status first, and then everything, status included."""
        job.save(pipeline=pipeline)

    @classmethod
    def _fetch_dequeued_job(
        cls, connection: Redis, queue_key: str, job_id: str, *classes: Any, **by_name: Any
    ) -> tuple[WakeUp, "WakeUpQueue"] | None:
        """Reads a job and forgets it: whatever happens to it, the inbox of its person is the truth."""
        queue, key = cls.over(connection), WakeUp.key_for(job_id)
        with connection.pipeline() as pipeline:
            pipeline.hgetall(key)
            pipeline.lrem(queue.intermediate_queue_key, 1, job_id)
            if not job_id.startswith(CLOCK_JOBS):
                pipeline.delete(key)
            stored, *_ = pipeline.execute()
        try:
            job = WakeUp(job_id, connection)
            job.restore(stored)
        except (NoSuchJobError, ValueError):
            # One that is not there any more, or that no queue of RQ would have taken.
            return None
        return job, queue


class WakeUps:
    """The queue as seen by those who put something on it."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self.queue = WakeUpQueue.over(redis)

    def job_for(self, key: str, sid: str) -> tuple[str | bytes | int, ...]:
        """The wake-up for a message, for the script that takes the message in to put on the queue: RQ's set of queues,
        the queue, the key of the job, then what RQ itself would store of it, fields and values in turn."""
        at = utcformat(now())
        call = zlib.compress(json.dumps((_WAKE, None, (key, sid), {})).encode())
        return (
            *(self.queue.redis_queues_keys, self.queue.key, WakeUp.key_for(sid)),
            *("created_at", at, "enqueued_at", at, "origin", QUEUE, "description", _WAKE, "data", call),
            *("timeout", -1, "result_ttl", 0, "failure_ttl", _FAILURE_SECONDS, "status", JobStatus.QUEUED.value),
        )

    def start(self, broadcast: str) -> None:
        """Has the start of a broadcast done by a worker."""
        with self._redis.pipeline() as pipeline:
            self._add(pipeline, "pipeline.jobs.broadcast", (broadcast,), f"broadcast-{broadcast}", at_front=False)
            pipeline.execute()

    def _add(
        self, pipeline: Pipeline, function: str, args: tuple[str, ...], job_id: str | None, at_front: bool
    ) -> None:
        self.queue.enqueue_call(
            func=function,
            args=args,
            job_id=job_id,
            timeout=-1,
            result_ttl=0,
            failure_ttl=_FAILURE_SECONDS,
            description=function,
            at_front=at_front,
            pipeline=pipeline,
        )

    def wake(self, keys: Iterable[str], at_front: bool = False) -> None:
        """Wakes a worker for each of these people, in one round trip."""
        with self._redis.pipeline() as pipeline:
            for key in keys:
                # Under a name of its own: taking one off the queue deletes what stands under its name.
                self._add(pipeline, _WAKE, (key, ""), None, at_front)
            if len(pipeline):
                pipeline.execute()

    def close(self) -> None:
        """Gives the connections back."""
        self._redis.close()
