"""A broadcast beside its share of the pace, and what it does to the replies that go out meanwhile."""

import threading
import time

from benchmarks.answer import steadily
from benchmarks.broadcast_footprint import ask, load_people
from benchmarks.results import Result, Scale, at_most, percentile, told
from benchmarks.stage import Stage
from benchmarks.webhooks import one_after_another, registrations

_SHARE = 0.8
_REPLIES_PER_SECOND = 8
# Recipients for each pace: as long as it takes to see the pace, not the start.
_RECIPIENTS = {80: 2000, 400: 6000}
_PATIENCE = 3


def run(scale: Scale) -> list[Result]:
    """At 80 and at 400 messages a second, with people writing all the while."""
    return [line for pace, people in _RECIPIENTS.items() for line in _at(pace, scale.count(people))]


def _at(pace: int, people: int) -> list[Result]:
    settings = {"TWILIO_MESSAGES_PER_SECOND": str(pace), "META_DAILY_LIMIT": "none"}
    expected = people / (pace * _SHARE)
    with Stage("web", "worker", "clock", settings=settings) as stage:
        load_people(stage, people)
        count = round(_REPLIES_PER_SECOND * expected * 0.9)
        # The first replies wait for the workers' start.
        _replies(stage, 24, first=90_000)
        idle = _replies(stage, count // 2, first=0)
        during: list[list[float]] = []
        writers = threading.Thread(target=lambda: during.append(_replies(stage, count, first=count)))
        began = time.monotonic()
        id_ = ask(stage, "/send-broadcast", {"message": "Namaste {name}, there is news."})["broadcast_id"]
        writers.start()
        while ask(stage, f"/broadcasts/{id_}")["status"] != "done":
            if time.monotonic() - began > expected * _PATIENCE + 20:
                break
            time.sleep(0.1)
        wall = time.monotonic() - began
        writers.join()
    slower = percentile(during[0], 0.95) / percentile(idle, 0.95)
    which = f"{people:,} people at {pace}/s"
    return [
        at_most("broadcast", f"{which}, wall ÷ (people ÷ share of pace)", wall / expected, 1.03),
        at_most("broadcast", f"{which}, reply p95 during ÷ idle", slower, 1.5),
        told("broadcast", f"{which}, reply p95 during", 1000 * percentile(during[0], 0.95), "ms"),
    ]


def _replies(stage: Stage, count: int, first: int) -> list[float]:
    everybody = registrations(stage.account, stage.port, count // 6 + 1, 500_000 + first)
    _, waits, _ = steadily(stage, list(one_after_another(everybody, 40))[:count], _REPLIES_PER_SECOND)
    return waits
