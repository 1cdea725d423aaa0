"""RQ workers as threads of one process: python -m benchmarks.peers.rq_threads stock|lean THREADS.

`stock` is RQ's SimpleWorker as it comes, but for what running in a thread asks of it. `lean` is the product's worker
with a job that does nothing.
"""

import sys
import threading
from types import SimpleNamespace
from typing import Any

from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty

from benchmarks.peers.turn import redis_url
from pipeline import jobs
from pipeline.lean_worker import LeanWorker
from pipeline.wakeups import WakeUps

STOCK_QUEUE = "stock"


class Stock(SimpleWorker):
    """As it comes; signals belong to the main thread."""

    death_penalty_class = TimerDeathPenalty

    def _install_signal_handlers(self) -> None:
        pass


def _worker(kind: str) -> Any:
    redis = Redis.from_url(redis_url())
    if kind == "lean":
        return LeanWorker(WakeUps(redis).queue, redis)
    return Stock([Queue(STOCK_QUEUE, connection=redis)], connection=redis, serializer=JSONSerializer)


def main(kind: str, threads: str) -> None:
    """Works until it is killed."""
    runtime: Any = SimpleNamespace(upkeep=SimpleNamespace(remove_old=lambda now: None))
    jobs.bind(runtime)
    workers = [_worker(kind) for _ in range(int(threads))]
    running = [threading.Thread(target=worker.work, kwargs={"logging_level": "WARNING"}) for worker in workers]
    for thread in running:
        thread.start()
    # From Python 3.12 on a program whose main thread has ended starts no more threads, and stock RQ wants some.
    for thread in running:
        thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
