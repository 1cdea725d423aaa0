"""Our receiver beside a bot that does everything within the request, while the Auth API takes its time."""

from benchmarks.gunicorn import served
from benchmarks.neighbours import Behaviour
from benchmarks.outside import Load, requests_of
from benchmarks.results import Result, Scale, at_least, at_most, median, percentile, told
from benchmarks.stage import Stage
from benchmarks.webhooks import one_after_another, registrations

_AUTH_SECONDS = (0.05, 2.0, 20.0)
_CONNECTIONS = 16
_AT_ONCE = 60
_MOST_A_SECOND = 800
_STEADY = 18  # webhooks a second, of which one in six asks the Auth API


def run(scale: Scale) -> list[Result]:
    """The rates without our workers, as `receive` has them; the waits with everything running."""
    with Stage("web") as stage, served(stage, "benchmarks.peers.synchronous:app") as peer:
        ratio = _ratio(stage, peer, scale)
    results = [at_least("receive-peer", "webhooks/s ÷ synchronous bot, Auth API 50 ms", ratio, 1)]
    with Stage("web", "worker") as stage, served(stage, "benchmarks.peers.synchronous:app") as peer:
        ours: list[float] = []
        for number, seconds in enumerate(_AUTH_SECONDS):
            stage.outside.behave(Behaviour(auth_seconds=seconds))
            first = 100_000 + number * 2000
            ours.append(percentile(_steady(stage, stage.port, first, scale).latencies, 0.99))
            theirs = _steady(stage, peer, first + 1000, scale)
            which = f"p99, Auth API {seconds:g} s"
            results.append(told("receive-peer", which, 1000 * ours[-1], "ms"))
            results.append(
                told("receive-peer", f"{which}, synchronous bot", 1000 * percentile(theirs.latencies, 0.99), "ms")
            )
    results.append(at_most("receive-peer", "own p99, Auth API 20 s", 1000 * ours[-1], 25, "ms"))
    return results


def _ratio(stage: Stage, peer: int, scale: Scale) -> float:
    stage.outside.behave(Behaviour(auth_seconds=_AUTH_SECONDS[0]))
    seconds, ratios = scale.seconds(4), []
    people = round(seconds * _MOST_A_SECOND) // 6
    for number in range(scale.rounds):
        rates = []
        for port in (stage.port, peer):
            everybody = registrations(stage.account, stage.port, people, number * people)
            requests = list(requests_of(one_after_another(everybody, _AT_ONCE)))
            rates.append(stage.outside.closed_loop(port, requests, _CONNECTIONS, seconds).rate)
        ratios.append(rates[0] / rates[1])
    return median(ratios)


def _steady(stage: Stage, port: int, first: int, scale: Scale) -> Load:
    people = round(_STEADY * scale.seconds(12)) // 6
    everybody = registrations(stage.account, stage.port, people, first)
    timetable = (
        (number / _STEADY, webhook.request) for number, webhook in enumerate(one_after_another(everybody, _AT_ONCE))
    )
    return stage.outside.open_loop(port, timetable, 64)
