"""The clock: rq-scheduler, made to survive what kills it.

Measured of rq-scheduler 0.14: it ends when Redis is away, a kill between two of its writes drops a periodic job for
ever, and it goes by pickle. So here the schedule is a table that is put back whenever something of it is missing, each
entry is moved to the queue and re-armed in one transaction, and jobs are read as `WakeUp`s only.
"""

import signal
import sys
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from redis import Redis
from redis.exceptions import RedisError
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq_scheduler import Scheduler
from rq_scheduler.utils import to_unix

from pipeline import logs
from pipeline.alarms import Alarms, Watch
from pipeline.auth_api import AuthApi
from pipeline.health import AuthWatch
from pipeline.runtime import Stores, patient_redis
from pipeline.settings import load
from pipeline.store import canary
from pipeline.store.auth_gate import AuthHealth
from pipeline.store.broadcasts import Broadcasts
from pipeline.store.pulse import Heartbeat
from pipeline.store.watermark import Watermark
from pipeline.wakeups import CLOCK_JOBS, QUEUE, WakeUp, WakeUpQueue

log = logs.get(__name__)

_TICK_SECONDS = 1.0
_CHECK_EVERY_TICKS = 30
# A tick that took longer waited for a Redis that was away; the receiver, which does not wait, refused messages then.
_AWAY_SECONDS = 3.0


class Periodic(NamedTuple):
    """A job that comes back."""

    function: str
    seconds: int
    at_front: bool


PERIODIC = {
    f"{CLOCK_JOBS}sweep": Periodic("pipeline.jobs.sweep", 10, True),
    f"{CLOCK_JOBS}catch-up": Periodic("pipeline.jobs.catch_up", 15, False),
    f"{CLOCK_JOBS}upkeep": Periodic("pipeline.jobs.upkeep", 600, False),
}


class Clock(Scheduler):
    """One of any number of clocks: a lock in Redis lets one at a time move jobs to the queue."""

    job_class = WakeUp

    def __init__(self, connection: Redis) -> None:
        super().__init__(queue_name=QUEUE, connection=connection, job_class=WakeUp, interval=_TICK_SECONDS)

    def announce(self) -> None:
        """Tells other tools that this clock runs; after an outage, again."""
        with self.connection.pipeline() as pipeline:
            pipeline.hset(self.key, "birth", to_unix(datetime.now(UTC)))
            pipeline.hdel(self.key, "death")
            pipeline.expire(self.key, 60)
            pipeline.execute()

    def put_back(self, start_now: bool = False) -> None:
        """Schedules what should be scheduled and is not; with `start_now` everything becomes due at once."""
        for job_id, periodic in PERIODIC.items():
            is_there = job_id in self and self.connection.exists(WakeUp.key_for(job_id))
            if start_now or not is_there:
                self.schedule(
                    datetime.now(UTC),
                    periodic.function,
                    interval=periodic.seconds,
                    id=job_id,
                    at_front=periodic.at_front,
                    timeout=-1,
                    description=job_id,
                )

    def put_back_broadcasts(self, to_start: Iterable[tuple[str, datetime]]) -> None:
        """Schedules broadcasts that are not."""
        for id_, send_at in to_start:
            job_id = f"broadcast-{id_}"
            if job_id not in self:
                self.enqueue_at(
                    send_at,
                    "pipeline.jobs.broadcast",
                    id_,
                    job_id=job_id,
                    timeout=-1,
                    job_result_ttl=0,
                    job_description=job_id,
                )

    def enqueue_job(self, job: Job) -> None:
        """Moves one job to the queue and re-arms it, both or neither."""
        interval = job.meta.get("interval")
        with self.connection.pipeline(transaction=True) as pipeline:
            pipeline.multi()
            queue = WakeUpQueue.over(self.connection)
            queue.enqueue_job(job, pipeline=pipeline, at_front=bool(job.enqueue_at_front))
            if interval:
                pipeline.zadd(self.scheduled_jobs_key, {job.id: to_unix(datetime.now(UTC)) + int(interval)})
            else:
                pipeline.zrem(self.scheduled_jobs_key, job.id)
            pipeline.execute()

    def server_id(self) -> str:
        """The name of the running Redis server; a restart or a failover changes it."""
        return str(self.connection.info("server")["run_id"])

    def enqueue_jobs(self) -> None:
        """Moves what is due. An entry that cannot be moved is taken off the schedule: it would stop the clock again
        and again."""
        for name in self.connection.zrangebyscore(self.scheduled_jobs_key, 0, to_unix(datetime.now(UTC))):
            try:
                self.enqueue_job(WakeUp.fetch(name.decode(), connection=self.connection))
            except (NoSuchJobError, ValueError, TypeError, AttributeError, OverflowError) as error:
                log.error("schedule_entry_dropped", error=error)
                self.connection.zrem(self.scheduled_jobs_key, name)

    def tick(self) -> None:
        """Moves what is due, unless another clock is at it."""
        self.heartbeat()
        if self.acquire_lock():
            try:
                self.enqueue_jobs()
            finally:
                self.remove_lock()


def run() -> None:
    """Runs the clock until SIGTERM or SIGINT. Raises SettingsError or WrongKeysError at the start."""
    settings = load()
    logs.configure(settings.log_level, settings.log_format)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    clock = Clock(patient_redis(settings.redis_url))
    redis = patient_redis(settings.redis_url, decode_responses=True)
    stores = Stores.behind(settings, redis, clock.connection)
    canary.check(redis, stores.seal, stores.hasher)
    Watch(Alarms(stores, AuthWatch(AuthApi(settings.auth_api_url), AuthHealth(redis))), stopping).start()
    log.info("clock_started", jobs=sorted(PERIODIC))
    _run(clock, stores.broadcasts, Watermark(clock.connection), Heartbeat(clock.connection, "clock"), stopping)
    sys.exit(0)


def _run(
    clock: Clock, broadcasts: Broadcasts, watermark: Watermark, heartbeat: Heartbeat, stopping: threading.Event
) -> None:
    ticks, was_away, server = 0, True, ""
    while not stopping.is_set():
        began = time.monotonic()
        try:
            if was_away:
                clock.announce()
                watermark.ask(datetime.now(UTC))
            if was_away or ticks % _CHECK_EVERY_TICKS == 0:
                clock.put_back(start_now=was_away)
                clock.put_back_broadcasts(broadcasts.to_start())
            else:
                # One that was made a moment ago may be due before the next check.
                now = datetime.now(UTC)
                clock.put_back_broadcasts(one for one in broadcasts.to_start() if one[1] > now)
            clock.tick()
            heartbeat.beat()
            before, server = server, clock.server_id()
            was_away = before not in ("", server) or time.monotonic() - began > _AWAY_SECONDS
        except RedisError as error:
            log.warning("clock_waits", error=error)
            was_away = True
        ticks += 1
        stopping.wait(_TICK_SECONDS)
    heartbeat.end()
    clock.register_death()
