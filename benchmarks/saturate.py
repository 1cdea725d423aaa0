"""The most messages a second end to end, and the CPU that one costs, by process; without the simulators."""

from benchmarks.answer import STATUSES
from benchmarks.dialogue import talk
from benchmarks.neighbours import Behaviour
from benchmarks.results import Result, Scale, at_least, at_most, median, told
from benchmarks.stage import Stage
from benchmarks.webhooks import registrations

# As good as none: the highest that the settings allow.
_UNLIMITED = {"TWILIO_MESSAGES_PER_SECOND": "1000", "WORKER_PROCESSES": "2", "LOG_LEVEL": "INFO"}
# One person is sent at most about one reply a second, so it takes many to keep everything busy.
_AT_ONCE = 480
_PEOPLE = 480
_PARTS = ("web", "worker", "redis")


def run(scale: Scale) -> list[Result]:
    """Rounds alternate between without and with the three status callbacks."""
    rates: dict[bool, list[float]] = {False: [], True: []}
    costs: dict[bool, list[dict[str, float]]] = {False: [], True: []}
    with Stage("web", "worker", settings=_UNLIMITED) as stage:
        first = 0
        _round(stage, first, 60, 6, with_statuses=False)
        first += 60
        for _ in range(scale.rounds):
            for with_statuses in (False, True):
                rate, cost = _round(stage, first, _PEOPLE, scale.count(6), with_statuses)
                first += _PEOPLE
                rates[with_statuses].append(rate)
                costs[with_statuses].append(cost)
    return [*_lines(rates[False], costs[False], ""), *_lines(rates[True], costs[True], ", with status callbacks")]


def _round(stage: Stage, first: int, people: int, messages: int, with_statuses: bool) -> tuple[float, dict[str, float]]:
    everybody = [person[:messages] for person in registrations(stage.account, stage.port, people, first)]
    before = stage.usage()
    dialogues = talk(stage, Behaviour(statuses=STATUSES if with_statuses else ()), everybody, _AT_ONCE)
    stage.outside.let_callbacks_end()
    after = stage.usage()
    cost = {part: 1000 * (after[part].cpu - before[part].cpu) / dialogues.answered for part in _PARTS}
    return dialogues.rate, cost


def _lines(rates: list[float], costs: list[dict[str, float]], which: str) -> list[Result]:
    rate, cpu = median(rates), median(sum(cost.values()) for cost in costs)
    parts = [
        told("saturate", f"CPU a message, {part}{which}", median(cost[part] for cost in costs), "ms") for part in _PARTS
    ]
    if which:
        return [
            told("saturate", f"messages a second{which}", rate),
            told("saturate", f"CPU a message{which}", cpu, "ms"),
            *parts,
        ]
    return [
        at_least("saturate", "messages a second, 2 worker processes", rate, 200),
        at_most("saturate", "CPU a message", cpu, 5, "ms"),
        *parts,
    ]
