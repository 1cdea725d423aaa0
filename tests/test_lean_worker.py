"""RQ's worker cut down: few round trips, nothing left over, nothing stranded by a stop."""

import threading
import time

import pytest
from redis import Redis

from pipeline import jobs, lean_worker
from pipeline.lean_worker import LeanWorker
from pipeline.wakeups import WakeUps
from tests.redis_proxy import RedisProxy
from tests.service import Bot


def wake_ups(redis_url: str, count: int) -> WakeUps:
    """A queue with so many wake-ups of people for whom there is nothing to do."""
    wakeups = WakeUps(Redis.from_url(redis_url))
    wakeups.wake(f"{number:032x}" for number in range(count))
    return wakeups


def rq_keys(redis: Redis) -> set[str]:
    return {key.decode() for key in redis.keys("rq:*")}


def trips(redis_url: str, proxy: RedisProxy, count: int) -> int:
    wake_ups(redis_url, count)
    connection = Redis.from_url(proxy.url)
    before = proxy.round_trips
    LeanWorker(WakeUps(connection).queue, connection).work(burst=True)
    connection.close()
    return proxy.round_trips - before


def test_a_job_costs_two_round_trips(bot: Bot, redis_url: str, proxy: RedisProxy) -> None:
    jobs.bind(bot.runtime)
    none, many = trips(redis_url, proxy, 0), trips(redis_url, proxy, 50)
    assert many - none <= 2 * 50


def test_a_job_leaves_nothing_behind(bot: Bot, redis_url: str) -> None:
    jobs.bind(bot.runtime)
    redis = Redis.from_url(redis_url)
    left = []
    for _ in range(3):
        LeanWorker(wake_ups(redis_url, 20).queue, redis).work(burst=True)
        left.append({key for key in rq_keys(redis) if not key.startswith("rq:worker:")})
    assert left[0] == left[1] == left[2]
    assert all(0 < redis.ttl(key) <= 60 for key in redis.scan_iter("rq:worker:*"))
    assert not any(key.startswith(("rq:job:", "rq:execution", "rq:results:")) for key in rq_keys(redis))
    assert redis.llen(WakeUps(redis).queue.intermediate_queue_key) == 0


def test_rq_info_tells_what_a_worker_has_done(bot: Bot, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lean_worker, "_HEARTBEAT_SECONDS", 0.0)
    jobs.bind(bot.runtime)
    redis = Redis.from_url(redis_url)
    LeanWorker(wake_ups(redis_url, 7).queue, redis).work(burst=True)
    (name,) = redis.keys("rq:worker:*")
    told = redis.hgetall(name)
    assert int(told[b"successful_job_count"]) == 7 and told[b"state"] == b"idle"


def test_wake_ups_that_are_doubled_or_refused_do_not_pile_up(bot: Bot, redis_url: str) -> None:
    jobs.bind(bot.runtime)
    redis = Redis.from_url(redis_url)
    wakeups = WakeUps(redis)
    for _ in range(30):
        (sid,) = bot.hears("Hi")
        redis.rpush(wakeups.queue.key, sid)
    LeanWorker(wakeups.queue, redis).work(burst=True)
    LeanWorker(wakeups.queue, redis).work(burst=True)
    assert redis.llen(wakeups.queue.intermediate_queue_key) == 0
    assert not [key for key in rq_keys(redis) if key.startswith("rq:job:")]


def test_a_stop_strands_nothing(bot: Bot, redis_url: str) -> None:
    jobs.bind(bot.runtime)
    wakeups = wake_ups(redis_url, 300)
    workers = [LeanWorker(wakeups.queue, Redis.from_url(redis_url)) for _ in range(4)]
    threads = [threading.Thread(target=worker.work, kwargs={"logging_level": "WARNING"}) for worker in workers]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 10
    while len(wakeups.queue) > 200 and time.monotonic() < deadline:
        time.sleep(0.002)
    for worker in workers:
        worker.stop()
    for thread in threads:
        thread.join(10)
    redis = Redis.from_url(redis_url)
    left = wakeups.queue.job_ids
    assert 0 < len(left) < 300
    assert redis.llen(wakeups.queue.intermediate_queue_key) == 0
    assert {key for key in rq_keys(redis) if key.startswith("rq:job:")} == {f"rq:job:{job_id}" for job_id in left}
    assert not any(key.startswith("rq:execution") for key in rq_keys(redis))


def test_an_idle_worker_that_waits_for_a_job_notices_a_stop(redis_url: str) -> None:
    redis = Redis.from_url(redis_url)
    worker = LeanWorker(WakeUps(redis).queue, Redis.from_url(redis_url))
    thread = threading.Thread(target=worker.work, kwargs={"logging_level": "WARNING"}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while redis.info("clients")["blocked_clients"] == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    worker.stop()
    thread.join(5)
    assert not thread.is_alive()
