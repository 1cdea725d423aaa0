"""A broadcast beside its share of the pace, and what it does to the replies that go out meanwhile."""

import threading
import time

from benchmarks.answer import STATUSES, steadily
from benchmarks.broadcast_footprint import ask, load_people
from benchmarks.results import Result, Scale, at_most, percentile, told
from benchmarks.stage import Stage
from benchmarks.webhooks import one_after_another, registrations

_SHARE = 0.8
_RECIPIENTS = 10_000
_PATIENCE = 3
# Messages a second of the sender, and threads in each of two worker processes: with 150 ms a send, and a quarter of the
# threads left to replies, 2 x 16 carry 160 a second and 2 x 48 carry 480.
_THREADS = {80: 16, 400: 48}
# Three for each message. At 320 messages a second they alone would take the web processes a core of the two that the
# simulators need as well.
_STATUSES: dict[int, tuple[str, ...]] = {80: STATUSES, 400: ()}
# What replies use of the pace is not the broadcast's, so they are few: one in a hundred of the pace.
_REPLIES = 0.01
_IDLE_REPLIES, _IDLE_REPLIES_PER_SECOND = 160, 4


def run(scale: Scale) -> list[Result]:
    """At 80 and at 400 messages a second, with people writing all the while."""
    return [line for pace in _THREADS for line in _at(pace, scale.count(_RECIPIENTS))]


def _at(pace: int, people: int) -> list[Result]:
    threads = str(_THREADS[pace])
    settings = {"TWILIO_MESSAGES_PER_SECOND": str(pace), "META_DAILY_LIMIT": "none", "WORKER_THREADS": threads}
    expected, rate, statuses = people / (pace * _SHARE), pace * _REPLIES, _STATUSES[pace]
    with Stage("web", "worker", "clock", settings=settings) as stage:
        load_people(stage, people)
        # The first replies wait for the workers' start.
        _replies(stage, 24, _IDLE_REPLIES_PER_SECOND, statuses, first=90_000)
        idle = _replies(stage, _IDLE_REPLIES, _IDLE_REPLIES_PER_SECOND, statuses, first=0)
        during: list[float] = []
        writers = threading.Thread(
            target=lambda: during.extend(_replies(stage, round(rate * expected * 0.95), rate, statuses, first=10_000))
        )
        began = time.monotonic()
        id_ = ask(stage, "/send-broadcast", {"message": "Namaste {name}, there is news."})["broadcast_id"]
        writers.start()
        while ask(stage, f"/broadcasts/{id_}")["status"] != "done":
            if time.monotonic() - began > expected * _PATIENCE + 20:
                break
            time.sleep(0.1)
        wall = time.monotonic() - began
        writers.join()
    slower = percentile(during, 0.95) / percentile(idle, 0.95)
    which = f"{people:,} people at {pace}/s{'' if statuses else ' without status callbacks'}"
    return [
        at_most("broadcast", f"{which}, wall ÷ (people ÷ share of pace)", wall / expected, 1.03),
        at_most("broadcast", f"{which}, reply p95 during ÷ idle", slower, 1.5),
        told("broadcast", f"{which}, reply p95 during", 1000 * percentile(during, 0.95), "ms"),
        told("broadcast", f"{which}, reply p95 idle", 1000 * percentile(idle, 0.95), "ms"),
    ]


def _replies(stage: Stage, count: int, rate: float, statuses: tuple[str, ...], first: int) -> list[float]:
    everybody = registrations(stage.account, stage.port, count // 6 + 1, 500_000 + first)
    _, waits, _ = steadily(stage, list(one_after_another(everybody, 40))[:count], rate, statuses)
    return waits
