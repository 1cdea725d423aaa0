"""Our worker beside what the same queue, or another, does as it comes: one process, 64 threads, a queue that is full.

All of them take the product's own turn, of messages that came in by its door. With fewer threads and 150 ms a send the
threads would set the limit (32 of them: 213 turns a second), and all but stock RQ would reach it.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from benchmarks.dialogue import Replies
from benchmarks.neighbours import Behaviour
from benchmarks.outside import requests_of
from benchmarks.results import Result, Scale, at_least, median, told
from benchmarks.stage import Stage
from benchmarks.webhooks import Webhook, message
from pipeline.seal import Hasher
from pipeline.settings import load
from pipeline.wakeups import QUEUE, WakeUps
from sandbox.children import spawn
from sandbox.services import PROJECT, kill_session

_THREADS = "64"
_SETTINGS = {"TWILIO_MESSAGES_PER_SECOND": "1000", "WORKER_PROCESSES": "1", "WORKER_THREADS": _THREADS}
_NOTHINGS = 2000
_TURNS = 1800
_SEND_SECONDS = 0.15
_PATIENCE_SECONDS = 60.0
# Where `make bench` puts the peers' packages. The product never sees them.
_PACKAGES = str(Path(sys.prefix) / "peers")
_WORKERS = {
    "stock RQ": ("-m", "benchmarks.peers.rq_threads", "stock", _THREADS),
    "Dramatiq": ("-m", "dramatiq", "benchmarks.peers.dramatiq_app", "-p", "1", "-t", _THREADS),
    "Celery": ("-m", "celery", "-A", "benchmarks.peers.celery_app", "worker", "-P", "threads", "-c", _THREADS),
    "ours": ("worker.py",),
}


def run(scale: Scale) -> list[Result]:
    """Jobs that do nothing, ours ÷ stock RQ; then whole turns with a send of 150 ms, ours ÷ each."""
    nothing: dict[str, list[float]] = {"lean": [], "stock": []}
    turns: dict[str, list[float]] = {name: [] for name in _WORKERS}
    for number in range(scale.rounds):
        with Stage(settings=_SETTINGS) as stage:
            for kind, rates in nothing.items():
                rates.append(_nothing(stage, kind, scale.count(_NOTHINGS)))
        for name, rates in turns.items():
            with Stage("web", settings=_SETTINGS) as stage:
                rates.append(_turns(stage, name, number, scale.count(_TURNS)))
    ours = median(turns["ours"])
    ratio = {name: median(a / b for a, b in zip(turns["ours"], rates, strict=True)) for name, rates in turns.items()}
    return [
        told("queue", "jobs that do nothing a second", median(nothing["lean"])),
        at_least("queue", "÷ stock RQ, jobs that do nothing", median(nothing["lean"]) / median(nothing["stock"]), 2.5),
        told("queue", "whole turns a second with a 150 ms send", ours),
        told("queue", "÷ stock RQ, whole turn", ratio["stock RQ"]),
        at_least("queue", "÷ Celery, whole turn", ratio["Celery"], 1),
        at_least("queue", "÷ Dramatiq, whole turn", ratio["Dramatiq"], 1 / 1.5),
    ]


def _nothing(stage: Stage, kind: str, jobs: int) -> float:
    """Jobs a second, from the first that is taken to the empty queue."""
    redis = Redis.from_url(stage.env["REDIS_URL"])
    if kind == "lean":
        queue, name, function = WakeUps(redis).queue, QUEUE, "pipeline.jobs.upkeep"
    else:
        queue, name, function = (
            Queue("stock", connection=redis, serializer=JSONSerializer),
            "stock",
            "benchmarks.peers.turn.nothing",
        )
    for _ in range(jobs):
        queue.enqueue_call(function, result_ttl=0, description=function)
    with _running(stage, ("-m", "benchmarks.peers.rq_threads", kind, "1")):
        _wait(lambda: redis.llen(f"rq:queue:{name}") < jobs)
        began = time.monotonic()
        _wait(lambda: redis.llen(f"rq:queue:{name}") == 0)
        return jobs / (time.monotonic() - began)


def _turns(stage: Stage, name: str, number: int, count: int) -> float:
    """Turns a second, from the first POST to the last."""
    replies = Replies()
    stage.outside.behave(Behaviour(twilio_seconds=_SEND_SECONDS, on_send=replies.note))
    people = (f"whatsapp:+91{number}6{person:08}" for person in range(count))
    _fill(stage, name, {address: message(stage.account, stage.port, address, "Hi") for address in people})
    with _running(stage, _WORKERS[name]):
        _wait(lambda: len(replies.at) >= count)
    return (len(replies.at) - 1) / (max(replies.at.values()) - min(replies.at.values()))


def _fill(stage: Stage, name: str, messages: dict[str, Webhook]) -> None:
    """All messages come in by the door, which puts jobs on our own queue; the peers have theirs beside it."""
    stage.outside.closed_loop(stage.port, requests_of(messages.values()), 16, 60)
    if name == "ours":
        return
    enqueue, hasher = _enqueue(stage, name), Hasher(stage.env["CONTACT_SECRET"])
    for address, webhook in messages.items():
        enqueue(hasher.contact_key(address), webhook.sid)


def _enqueue(stage: Stage, name: str) -> Callable[..., Any]:
    if name == "stock RQ":
        queue = Queue("stock", connection=Redis.from_url(stage.env["REDIS_URL"]), serializer=JSONSerializer)
        return lambda *args: queue.enqueue_call("benchmarks.peers.turn.turn", args, result_ttl=0, description="turn")
    # These read where their queue stands when they are imported, and each round has its own Redis.
    os.environ.update(stage.env)
    load.cache_clear()
    if _PACKAGES not in sys.path:
        sys.path.append(_PACKAGES)
    module = f"benchmarks.peers.{name.lower()}_app"
    sys.modules.pop(module, None)
    turn = import_module(module).turn
    send: Callable[..., Any] = turn.send if name == "Dramatiq" else turn.delay
    return send


@contextmanager
def _running(stage: Stage, arguments: tuple[str, ...]) -> Iterator[None]:
    log = stage.folder / "peer.log"
    is_peer = arguments[0] == "-m" and arguments[1] in ("celery", "dramatiq")
    env = {**stage.env, "PYTHONPATH": _PACKAGES} if is_peer else stage.env
    child = spawn((sys.executable, *arguments), log, env=env, cwd=PROJECT)
    try:
        yield
    finally:
        kill_session(child)


def _wait(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError("the workers did not get through their jobs")
        time.sleep(0.005)
