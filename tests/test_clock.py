"""The clock: what should be scheduled is, whatever was lost, forged or doubled."""

import json
import threading
import time
import zlib

import pytest
from redis import Redis

from pipeline import jobs
from pipeline.clock import PERIODIC, Clock
from pipeline.lean_worker import LeanWorker
from pipeline.runtime import patient_redis
from pipeline.store.broadcasts import Broadcasts
from pipeline.wakeups import QUEUE, WakeUp, WakeUps
from tests.redis_proxy import RedisProxy
from tests.service import Bot

SCHEDULE = Clock.scheduled_jobs_key


@pytest.fixture
def redis(redis_url: str) -> Redis:
    return Redis.from_url(redis_url)


@pytest.fixture
def clock(redis: Redis) -> Clock:
    """A clock whose schedule is in place, everything due."""
    made = Clock(redis)
    made.put_back(start_now=True)
    return made


def scheduled(redis: Redis) -> dict[str, float]:
    """Seconds until each scheduled job, those of the table."""
    return {name.decode(): at - time.time() for name, at in redis.zrange(SCHEDULE, 0, -1, withscores=True)}


def queued(redis: Redis) -> list[str]:
    return sorted(WakeUps(redis).queue.job_ids)


def test_a_tick_moves_what_is_due_and_schedules_it_again(clock: Clock, redis: Redis) -> None:
    clock.tick()
    assert queued(redis) == sorted(PERIODIC)
    for name, seconds in scheduled(redis).items():
        assert PERIODIC[name].seconds - 2 < seconds <= PERIODIC[name].seconds
    clock.tick()
    assert len(queued(redis)) == len(PERIODIC)


def test_two_clocks_make_no_duplicates(clock: Clock, redis: Redis, redis_url: str) -> None:
    other = Clock(Redis.from_url(redis_url))
    other.put_back()
    threads = [threading.Thread(target=each.tick) for each in (clock, other) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert queued(redis) == sorted(PERIODIC) and len(scheduled(redis)) == len(PERIODIC)


def test_a_second_start_adds_nothing(clock: Clock, redis: Redis) -> None:
    Clock(redis).put_back()
    Clock(redis).put_back(start_now=True)
    assert sorted(scheduled(redis)) == sorted(PERIODIC)


@pytest.mark.parametrize("lost", [SCHEDULE, "rq:job:clock-sweep", "both"])
def test_a_lost_entry_is_put_back(clock: Clock, redis: Redis, lost: str) -> None:
    redis.delete(*([SCHEDULE, "rq:job:clock-sweep"] if lost == "both" else [lost]))
    clock.tick()
    clock.put_back()
    clock.tick()
    assert queued(redis) == sorted(PERIODIC) and sorted(scheduled(redis)) == sorted(PERIODIC)


def test_an_entry_is_moved_and_scheduled_again_in_one_transaction(redis_url: str, proxy: RedisProxy) -> None:
    direct = Redis.from_url(redis_url)
    Clock(direct).put_back(start_now=True)
    far = Clock(patient_redis(proxy.url))
    proxy.lose_answer_to("EXEC")
    far.tick()
    far.tick()
    assert proxy.lost == 1
    assert set(queued(direct)) == set(PERIODIC) and all(seconds > 0 for seconds in scheduled(direct).values())


def poison(redis: Redis, name: bytes, **fields: bytes) -> None:
    data = zlib.compress(json.dumps(["pipeline.jobs.sweep", None, [], {}]).encode())
    usual = {"data": data, "origin": QUEUE.encode(), "status": b"scheduled", "created_at": b"2026-01-01T00:00:00Z"}
    redis.hset(b"rq:job:" + name, mapping={**usual, **fields})
    redis.zadd(SCHEDULE, {name: 1})


POISONS = {
    "a pickle": {"data": b"\x80\x04."},
    "a foreign function": {"data": zlib.compress(b'["os.getpid", null, [], {}]')},
    "a queue class of its own": {"meta": b'{"queue_class_name": "os.getpid"}'},
    "a queue class that does not exist": {"meta": b'{"queue_class_name": "no.such.thing"}'},
    "an interval that is no number": {"meta": b'{"interval": "often"}'},
    "an interval without an end": {"meta": b'{"interval": 1e999}'},
    "meta of another shape": {"meta": b"[1]"},
    "meta that is no JSON": {"meta": b"\x80"},
    "a time that is none": {"created_at": b"yesterday"},
    "no queue": {"origin": b""},
    "a queue of its own": {"origin": b"elsewhere"},
}


@pytest.mark.parametrize("which", POISONS)
def test_a_poisonous_entry_stops_neither_clock_nor_worker(clock: Clock, redis: Redis, bot: Bot, which: str) -> None:
    poison(redis, b"poison", **POISONS[which])
    clock.tick()
    clock.tick()
    assert set(PERIODIC) <= set(queued(redis))
    jobs.bind(bot.runtime)
    LeanWorker(WakeUps(redis).queue, redis).work(burst=True)
    assert queued(redis) == [] and b"elsewhere" not in b"".join(redis.keys("rq:queue:*"))


def test_an_entry_whose_name_is_no_text_stops_nothing(clock: Clock, redis: Redis) -> None:
    redis.zadd(SCHEDULE, {b"\xff\xfe": 1})
    clock.tick()
    clock.tick()
    assert set(PERIODIC) <= set(queued(redis))


def test_what_the_clock_schedules_our_workers_run(clock: Clock, redis: Redis, bot: Bot) -> None:
    jobs.bind(bot.runtime)
    bot.hears("Hi")
    bot.passes(6)
    clock.tick()
    LeanWorker(WakeUps(redis).queue, redis).work(burst=True)
    assert len(bot.said()) == 1
    assert all(WakeUp.exists(name, connection=redis) for name in PERIODIC)


def test_a_periodic_job_survives_its_run(clock: Clock, redis: Redis, bot: Bot) -> None:
    jobs.bind(bot.runtime)
    for _ in range(2):
        clock.tick()
        LeanWorker(WakeUps(redis).queue, redis).work(burst=True)
        for name in PERIODIC:
            redis.zadd(SCHEDULE, {name: 1})
    clock.tick()
    assert queued(redis) == sorted(PERIODIC)


def test_a_broadcast_that_is_open_is_put_back_once(clock: Clock, redis: Redis, bot: Bot) -> None:
    assert list(Broadcasts(bot.redis, bot.runtime.seal).to_start()) == []
    clock.put_back_broadcasts([])
    assert sorted(scheduled(redis)) == sorted(PERIODIC)
