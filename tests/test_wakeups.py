"""The queue: whoever can write to Redis cannot have us run anything but our own functions, nor stop us."""

import json
import os
import pickle
import zlib
from pathlib import Path

import pytest
from redis import Redis
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.queue import Queue

from pipeline import jobs
from pipeline.lean_worker import LeanWorker
from pipeline.wakeups import QUEUE, WakeUp, WakeUps
from tests.service import Bot


@pytest.fixture
def redis(redis_url: str) -> Redis:
    return Redis.from_url(redis_url)


@pytest.fixture
def worker(bot: Bot, redis: Redis) -> LeanWorker:
    """A worker of the queue, whose jobs work with `bot`."""
    jobs.bind(bot.runtime)
    return LeanWorker(bot.runtime.wakeups.queue, redis)


def forge(redis: Redis, job_id: str, data: bytes, **fields: str) -> None:
    """Puts a job on the queue that we would never write."""
    written = {"data": data, "origin": QUEUE, "status": "queued", "created_at": "2026-01-01T00:00:00Z", **fields}
    redis.hset(f"rq:job:{job_id}", mapping=written)
    redis.rpush(f"rq:queue:{QUEUE}", job_id)


def call(function: str, *arguments: object, instance: str | None = None) -> bytes:
    return zlib.compress(json.dumps([function, instance, arguments, {}]).encode())


class Mischief:
    """Unpickled, it leaves a file behind."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self):  # type: ignore[no-untyped-def]
        return os.mkdir, (str(self._mark),)


FOREIGN = {
    "a function of the operating system": lambda mark: call("os.mkdir", mark),
    "a function of ours that is no job": lambda mark: call("pipeline.jobs.sweep_once", mark),
    "a pickle": lambda mark: zlib.compress(pickle.dumps(("pipeline.jobs.wake", None, (Mischief(Path(mark)),), {}))),
    "a bare pickle": lambda mark: pickle.dumps(Mischief(Path(mark))),
    "a method": lambda mark: call("pipeline.jobs.wake", mark, instance="os"),
    "no text": lambda mark: b"\x00\xff",
    "nothing": lambda mark: b"",
    "another shape": lambda mark: b"{}",
    "no function": lambda mark: zlib.compress(b"[null, null, [], {}]"),
    "a list for a function": lambda mark: zlib.compress(b'[["a"], null, [], {}]'),
}


@pytest.mark.parametrize("which", FOREIGN)
def test_a_forged_job_runs_nothing_and_the_next_job_is_done(
    bot: Bot, worker: LeanWorker, redis: Redis, tmp_path: Path, which: str
) -> None:
    mark = tmp_path / "mark"
    forge(redis, "forged", FOREIGN[which](str(mark)))
    bot.hears("Hi")
    worker.work(burst=True)
    assert not mark.exists() and len(bot.said()) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"success_callback_name": "os.mkdir"},
        {"failure_callback_name": "os.mkdir"},
        {"stopped_callback_name": "os.mkdir", "success_callback_timeout": "x"},
        {"webhooks": '[{"url": "http://127.0.0.1:9/", "statuses": ["finished"]}]'},
    ],
)
def test_callbacks_and_webhooks_of_a_forged_job_are_not_even_read(
    bot: Bot, worker: LeanWorker, redis: Redis, fields: dict[str, str]
) -> None:
    forge(redis, "forged", call("pipeline.jobs.wake", bot.key(), ""), **fields)
    job = WakeUp.fetch("forged", connection=redis)
    assert (job.success_callback, job.failure_callback, job.stopped_callback) == (None, None, None)
    assert not job.webhooks
    bot.hears("Hi")
    worker.work(burst=True)
    assert len(bot.said()) == 1


@pytest.mark.parametrize(
    "fields",
    [{"created_at": "yesterday"}, {"timeout": "soon"}, {"status": "?"}, {"result_ttl": "x"}, {"meta": "not json"}],
)
def test_a_damaged_job_is_passed_over(bot: Bot, worker: LeanWorker, redis: Redis, fields: dict[str, str]) -> None:
    forge(redis, "damaged", call("pipeline.jobs.wake", bot.key(), ""), **fields)
    bot.hears("Hi")
    worker.work(burst=True)
    assert len(bot.said()) == 1


@pytest.mark.parametrize("job_id", ["not an id", "a:b", "", "\N{SNOWMAN}"])
def test_an_id_that_rq_would_not_give_is_passed_over(bot: Bot, worker: LeanWorker, redis: Redis, job_id: str) -> None:
    forge(redis, job_id, call("pipeline.jobs.wake", bot.key(), ""))
    bot.hears("Hi")
    worker.work(burst=True)
    assert len(bot.said()) == 1 and not redis.keys("rq:job:*")


@pytest.mark.parametrize("arguments", [(), ("one",), ("a", "b", "c"), ([], {}), (None, 5)])
def test_wrong_arguments_harm_nobody(bot: Bot, worker: LeanWorker, redis: Redis, arguments: tuple[object, ...]) -> None:
    forge(redis, "wrong", call("pipeline.jobs.wake", *arguments))
    bot.hears("Hi")
    worker.work(burst=True)
    assert len(bot.said()) == 1


def test_a_job_of_ours_carries_a_key_and_a_sid_as_json(bot: Bot, redis: Redis) -> None:
    (sid,) = bot.hears("Asha Devi")
    (job_id,) = Queue(QUEUE, connection=redis).job_ids
    stored = redis.hgetall(f"rq:job:{job_id}")
    assert json.loads(zlib.decompress(stored[b"data"])) == ["pipeline.jobs.wake", None, [bot.key(), sid], {}]
    assert bot.key() not in stored[b"description"].decode()


def test_a_message_is_queued_as_rq_itself_would_queue_it(bot: Bot, redis: Redis) -> None:
    (sid,) = bot.hears("Asha Devi")
    ours = redis.hgetall(f"rq:job:{sid}")
    state = redis.smembers("rq:queues"), redis.lrange(f"rq:queue:{QUEUE}", 0, -1)
    redis.delete(f"rq:job:{sid}", "rq:queues", f"rq:queue:{QUEUE}")
    stored = {"timeout": -1, "result_ttl": 0, "failure_ttl": 3600, "description": "pipeline.jobs.wake"}
    bot.runtime.wakeups.queue.enqueue_call("pipeline.jobs.wake", (bot.key(), sid), job_id=sid, **stored)
    assert (redis.smembers("rq:queues"), redis.lrange(f"rq:queue:{QUEUE}", 0, -1)) == state
    theirs = redis.hgetall(f"rq:job:{sid}")
    assert ours.keys() == theirs.keys()
    moments = {b"created_at", b"enqueued_at"}
    assert {name for name in ours if ours[name] != theirs[name]} <= moments
    assert all(len(ours[name]) == len(theirs[name]) for name in moments)


def test_a_job_written_by_stock_rq_is_refused(redis: Redis) -> None:
    job = Job.create("os.getpid", connection=redis)
    job.save()
    with pytest.raises(NoSuchJobError):
        WakeUp.fetch(job.id, connection=redis)


def test_waking_nobody_asks_redis_nothing(redis_url: str) -> None:
    WakeUps(Redis.from_url("redis://127.0.0.1:1/0")).wake([])


def test_the_same_wake_up_twice_is_harmless(bot: Bot, worker: LeanWorker) -> None:
    bot.hears("Hi")
    bot.runtime.wakeups.wake([bot.key()] * 3)
    worker.work(burst=True)
    assert len(bot.said()) == 1


def test_the_overdue_are_served_ahead_of_the_queue(bot: Bot) -> None:
    bot.hears("Hi")
    bot.runtime.wakeups.wake(["0" * 32], at_front=True)
    assert bot.runtime.wakeups.queue.jobs[0].args[0] == "0" * 32
