"""Prometheus's view of the service, read from Redis at each scrape, so that it is right over all processes.

Labels are steps, outcomes, statuses and codes: few, and nothing of anybody's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from pipeline.runtime import Stores
from pipeline.session import STEPS
from pipeline.store.pulse import Pulse
from pipeline.store.tallies import BOUNDS, Counts, histogram


@dataclass(frozen=True, slots=True)
class _Counter:
    """Counters of one prefix: what follows it, cut at `separator`, are the labels."""

    name: str
    words: str
    prefix: str
    labels: tuple[str, ...]
    separator: str = ":"


_LABELLED = (
    _Counter("msme_turns", "Turns taken, by step and outcome", "turn:", ("step", "outcome")),
    _Counter("msme_step_changes", "Moves from one step to another", "step:", ("from", "to"), ">"),
    _Counter("msme_auth_answers", "What the Auth API answered", "answer:", ("answer",)),
    _Counter("msme_message_statuses", "Status callbacks of Twilio", "status:", ("status",)),
    _Counter("msme_broadcast_recipients", "Recipients of broadcasts, by what came of it", "broadcast:", ("state",)),
)
_PLAIN = {
    "msme_messages_in": ("Messages of people", "in"),
    "msme_messages_out": ("Messages that Twilio accepted", "out"),
    "msme_messages_dropped": ("Replies that Twilio refused for good", "dropped"),
    "msme_messages_flooded": ("Messages of floods, not taken", "flooded"),
    "msme_messages_resent": ("Replies sent once more after a passing failure", "resent"),
    "msme_sends_in_doubt": ("Sends whose outcome was unknown", "in_doubt"),
    "msme_sends_settled_by_callback": ("Sends that a status callback settled", "settled_by_callback"),
    "msme_sends_settled_by_list": ("Sends in doubt that Twilio's list settled", "settled_by_list"),
    "msme_turns_poisoned": ("Messages set aside after failing again and again", "poisoned"),
    "msme_erasures": ("People who had themselves erased", "erased"),
}
_TIMED = {
    "msme_webhook_seconds": ("From a webhook to its answer", "webhook"),
    "msme_reply_accepted_seconds": ("From a person's message to Twilio taking the reply", "accepted"),
    "msme_reply_delivered_seconds": ("From a person's message to the reply's delivery", "delivered"),
    "msme_auth_seconds": ("What the Auth API took to answer", "RequestOtp"),
}


def exposition(stores: Stores) -> bytes:
    """Everything, in Prometheus's text format. Raises RedisError."""
    totals, failed = stores.tallies.totals(), stores.failures.count()
    running = len(stores.broadcasts.open())
    pulse = stores.pulses.now()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(lambda: _families(totals, pulse, failed, running)))
    return generate_latest(registry)


class _Collected(Collector):
    """Metrics that were read already."""

    def __init__(self, families: Callable[[], Iterator[Metric]]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        return self._families()


def _families(totals: Counts, pulse: Pulse, failed: int, broadcasts: int) -> Iterator[Metric]:
    for name, (words, counter) in _PLAIN.items():
        yield CounterMetricFamily(name, words, value=totals.get(counter, 0))
    yield from (_labelled(totals, one) for one in _LABELLED)
    yield _invalid(totals)
    yield _codes(totals)
    for name, (words, timed) in _TIMED.items():
        yield _timed(totals, name, words, timed)
    yield GaugeMetricFamily("msme_failed_messages", "Messages on the failed list", value=failed)
    yield GaugeMetricFamily("msme_broadcasts_open", "Broadcasts that are not over", value=broadcasts)
    yield GaugeMetricFamily("msme_queue_depth", "Jobs on the queue", value=pulse.queue_depth)
    yield GaugeMetricFamily("msme_queue_oldest_seconds", "Age of the oldest open message", pulse.oldest_seconds)
    yield GaugeMetricFamily("msme_people_waiting", "People who wait for an answer", value=pulse.people_waiting)
    yield GaugeMetricFamily("msme_workers", "Worker processes alive", value=pulse.workers)
    yield GaugeMetricFamily("msme_sending_stopped", "1 while Twilio refuses everything", value=pulse.stopped_code > 0)


def _labelled(totals: Counts, counter: _Counter) -> Metric:
    family = CounterMetricFamily(counter.name, counter.words, labels=counter.labels)
    for name, value in totals.items():
        if name.startswith(counter.prefix):
            family.add_metric(name.removeprefix(counter.prefix).split(counter.separator), value)
    return family


def _invalid(totals: Counts) -> Metric:
    family = CounterMetricFamily("msme_invalid_answers", "Answers that were not understood", labels=("step",))
    for step in STEPS:
        family.add_metric((step,), totals.get(f"turn:{step}:invalid", 0) + totals.get(f"turn:{step}:muted", 0))
    return family


def _codes(totals: Counts) -> Metric:
    """By thousands: 21xxx, 63xxx; every code has its place in the failed list."""
    family = CounterMetricFamily("msme_twilio_errors", "Refusals and failures by Twilio's code", labels=("codes",))
    classes: dict[str, int] = {}
    for name, value in totals.items():
        if name.startswith("code:"):
            label = f"{int(name.removeprefix('code:')) // 1000}xxx"
            classes[label] = classes.get(label, 0) + value
    for label, value in classes.items():
        family.add_metric((label,), value)
    return family


def _timed(totals: Counts, name: str, words: str, timed: str) -> Metric:
    so_far, buckets = 0, []
    bounds = [*(str(bound / 1000) for bound in BOUNDS), "+Inf"]
    for bound, number in zip(bounds, histogram(totals, timed), strict=True):
        so_far += number
        buckets.append((bound, so_far))
    return HistogramMetricFamily(name, words, buckets=buckets, sum_value=totals.get(f"time:{timed}:sum", 0) / 1000)
