"""What stays: resident memory of the processes, bytes in Redis, and whether either grows by being used."""

from benchmarks.dialogue import talk
from benchmarks.neighbours import Behaviour
from benchmarks.outside import requests_of
from benchmarks.results import Result, Scale, at_most, told
from benchmarks.stage import Stage
from benchmarks.webhooks import message, registrations
from pipeline.store import PREFIX

_SETTINGS = {"TWILIO_MESSAGES_PER_SECOND": "1000", "WORKER_PROCESSES": "1", "WORKER_THREADS": "32"}
_PEOPLE = 200
_AT_ONCE = 480
# Until nothing is made for the first time any more, and the use that must leave no trace.
_WARM_MESSAGES, _USED_MESSAGES = 6000, 100_000
_QUEUED = 600


def run(scale: Scale) -> list[Result]:
    """One worker process of 32 threads. `--quick` uses it a tenth as long before the second look."""
    with Stage("web", "worker", "clock", settings=_SETTINGS) as stage:
        _use(stage, _WARM_MESSAGES, first=0)
        before = stage.usage()
        session, person = _bytes_each(stage)
        more = _USED_MESSAGES // (10 if scale.is_quick else 1)
        commands = _commands(stage)
        _use(stage, more, first=20_000)
        commands = (_commands(stage) - commands) / more
        after = stage.usage()
        stage.services.stop("worker")
        queued = _bytes_queued(stage)
    grown = {part: (after[part].resident - before[part].resident) / 1e6 for part in ("web", "worker", "clock")}
    return [
        *(told("memory", f"resident, {part}", before[part].resident / 1e6, "MB") for part in ("web", "clock")),
        at_most("memory", "resident, worker with 32 threads", before["worker"].resident / 1e6, 90, "MB"),
        *(told("memory", f"{part} grown by {more:,} messages more", grown[part], "MB") for part in grown),
        at_most("memory", "Redis bytes of a live session", session, 1229),
        told("memory", "Redis bytes of one person in all", person),
        told("memory", "Redis bytes of a queued message", queued),
        told("memory", "Redis commands per message, those within scripts counted", commands),
    ]


def _use(stage: Stage, messages: int, first: int) -> None:
    """So many messages of people who register, a few thousand put together at a time."""
    for start in range(first, first + messages // 6, 2000):
        people = min(2000, first + messages // 6 - start)
        talk(stage, Behaviour(), registrations(stage.account, stage.port, people, start), _AT_ONCE)


def _bytes_each(stage: Stage) -> tuple[float, float]:
    """Of the session in the middle of a registration; and all that one more person takes, sessions and the rest."""
    used = _used(stage)
    halfway = [person[:4] for person in registrations(stage.account, stage.port, _PEOPLE, 10_000)]
    talk(stage, Behaviour(), halfway, _AT_ONCE)
    person = (_used(stage) - used) / _PEOPLE
    keys = list(stage.redis.scan_iter(f"{PREFIX}session:*", count=1000))
    session = sum(stage.redis.memory_usage(key, samples=0) for key in keys) / len(keys)
    return session, person


def _bytes_queued(stage: Stage) -> float:
    used = _used(stage)
    webhooks = [message(stage.account, stage.port, f"whatsapp:+9196{n:08}", "Hi") for n in range(_QUEUED)]
    stage.outside.closed_loop(stage.port, requests_of(webhooks), 16, 20)
    return (_used(stage) - used) / _QUEUED


def _commands(stage: Stage) -> int:
    return int(stage.redis.info("stats")["total_commands_processed"])


def _used(stage: Stage) -> int:
    return int(stage.redis.info("memory")["used_memory"])
