"""How many signed webhooks a second the receiver takes, beside a route that does nothing; and how soon it answers."""

from itertools import cycle

from benchmarks.gunicorn import served
from benchmarks.neighbours import Behaviour
from benchmarks.outside import Load, requests_of
from benchmarks.results import Result, Scale, at_least, at_most, median, percentile, told
from benchmarks.stage import Stage
from benchmarks.webhooks import REGISTRATION, one_after_another, registrations

_CONNECTIONS = 16
_MOST_A_SECOND = 1500
_STEADY = 100  # webhooks a second


def run(scale: Scale) -> list[Result]:
    """Rounds alternate between ours and the bare route."""
    ours: list[Load] = []
    bare: list[Load] = []
    seconds = scale.seconds(4)
    with Stage("web") as stage, served(stage, "benchmarks.peers.bare_flask:app") as bare_port:
        crowd = _Crowd(stage)
        warm = crowd.write(100)
        stage.outside.closed_loop(stage.port, warm, _CONNECTIONS, 1)
        for _ in range(scale.rounds):
            requests = crowd.write(round(seconds * _MOST_A_SECOND))
            bare.append(stage.outside.closed_loop(bare_port, cycle(warm), _CONNECTIONS, seconds))
            ours.append(stage.outside.closed_loop(stage.port, requests, _CONNECTIONS, seconds))
        steady = _steady(stage, crowd.write(round(_STEADY * seconds * 2)))
        bare_steady = _steady(stage, warm * round(seconds * 2), bare_port)
    rate, bare_rate = median(load.rate for load in ours), median(load.rate for load in bare)
    hanging = _while_all_hangs(scale)
    return [
        told("receive", "signed webhooks a second", rate),
        told("receive", "a bare Flask route, requests a second", bare_rate),
        at_least(
            "receive", "÷ bare Flask route", median(a.rate / b.rate for a, b in zip(ours, bare, strict=True)), 0.35
        ),
        at_most("receive", "refused or unanswered", sum(load.failures for load in [*ours, steady, hanging]), 0),
        told("receive", f"p50 at {_STEADY}/s", 1000 * percentile(steady.latencies, 0.5), "ms"),
        at_most("receive", f"p99 at {_STEADY}/s", 1000 * percentile(steady.latencies, 0.99), 25, "ms"),
        told("receive", f"p99 of the bare route at {_STEADY}/s", 1000 * percentile(bare_steady.latencies, 0.99), "ms"),
        at_most(
            "receive",
            f"p99 at {_STEADY}/s while Auth API and Twilio hang, with workers",
            1000 * percentile(hanging.latencies, 0.99),
            25,
            "ms",
        ),
    ]


def _while_all_hangs(scale: Scale) -> Load:
    with Stage("web", "worker") as stage:
        stage.outside.behave(Behaviour(hangs=True))
        crowd = _Crowd(stage)
        stage.outside.closed_loop(stage.port, crowd.write(100), _CONNECTIONS, 1)
        return _steady(stage, crowd.write(round(_STEADY * scale.seconds(8))))


def _steady(stage: Stage, requests: list[bytes], port: int = 0) -> Load:
    timetable = ((number / _STEADY, request) for number, request in enumerate(requests))
    return stage.outside.open_loop(port or stage.port, timetable, _CONNECTIONS)


class _Crowd:
    """People who never wrote before, as many as it takes."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._next = 0

    def write(self, count: int) -> list[bytes]:
        """So many messages, put together now, so that no load has to wait for it."""
        people = count // len(REGISTRATION) + 1
        everybody = registrations(self._stage.account, self._stage.port, people, self._next)
        self._next += people
        return list(requests_of(one_after_another(everybody, 100)))[:count]
