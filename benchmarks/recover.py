"""How long people wait when a worker is killed in the middle of its work, and how long a worker takes to end."""

import os
import signal
import time

from benchmarks.answer import STATUSES
from benchmarks.dialogue import Replies
from benchmarks.neighbours import Behaviour
from benchmarks.outside import requests_of
from benchmarks.results import Result, Scale, at_most, median
from benchmarks.stage import Stage
from benchmarks.webhooks import message

_PEOPLE = 40
_PATIENCE_SECONDS = 40.0


def run(scale: Scale) -> list[Result]:
    """One worker process dies with all threads busy; its parent starts another."""
    with Stage("web", "worker", "clock", settings={"WORKER_PROCESSES": "1"}) as stage:
        killed = [_kill(stage, number) for number in range(scale.rounds)]
        stops = [_stop(stage) for _ in range(scale.rounds)]
    return [
        at_most("recover", "kill -9 of a worker → last affected reply, worst", max(killed), 12, "s"),
        at_most("recover", "SIGTERM → exit, idle", median(stops), 2, "s"),
    ]


def _kill(stage: Stage, number: int) -> float:
    replies = Replies()
    stage.outside.behave(Behaviour(twilio_seconds=1.0, statuses=STATUSES, on_send=replies.note))
    people = (f"whatsapp:+91{95 - number}{person:08}" for person in range(_PEOPLE))
    webhooks = [message(stage.account, stage.port, address, "Hi") for address in people]
    stage.outside.closed_loop(stage.port, requests_of(webhooks), 16, 10)
    began = time.monotonic()
    for child in stage.services.worker_children():
        os.kill(child, signal.SIGKILL)
    while len(replies.at) < _PEOPLE and time.monotonic() < began + _PATIENCE_SECONDS:
        time.sleep(0.05)
    # Those in doubt were POSTed before the kill: they are settled, not said again, so what counts is the last POST.
    return max(replies.at.values()) - began if len(replies.at) == _PEOPLE else _PATIENCE_SECONDS


def _stop(stage: Stage) -> float:
    time.sleep(1.0)
    began = time.monotonic()
    stage.services.stop("worker")
    seconds = time.monotonic() - began
    stage.services.start("worker")
    time.sleep(2.0)
    return seconds
