"""How soon a message is answered under a steady load: from the moment it is due at our door to our POST at Twilio."""

import time

from benchmarks.dialogue import Replies
from benchmarks.neighbours import Behaviour
from benchmarks.outside import Load
from benchmarks.results import Result, Scale, at_most, percentile
from benchmarks.stage import Stage
from benchmarks.webhooks import Webhook, one_after_another, registrations
from pipeline.store import PREFIX

_RATE = 80  # messages a second
_USUAL_SECONDS = 60
# So many people take turns: each writes every two seconds.
_AT_ONCE = 160
_AFTER_SECONDS = 1.0
"""How long after the last message nothing may be waiting any more."""
STATUSES = ("sent", "delivered", "read")


def run(scale: Scale) -> list[Result]:
    """Full registrations, Twilio taking 150 ms, three status callbacks for each reply."""
    with Stage("web", "worker", "clock") as stage:
        everybody = registrations(stage.account, stage.port, round(_RATE * scale.seconds(_USUAL_SECONDS)) // 6)
        webhooks = list(one_after_another(everybody, _AT_ONCE))
        load, waits, backlog = steadily(stage, webhooks, _RATE)
    return [
        at_most("answer", f"own part of inbound → POST at {_RATE}/s, p50", 1000 * percentile(waits, 0.5), 30, "ms"),
        at_most("answer", f"own part of inbound → POST at {_RATE}/s, p95", 1000 * percentile(waits, 0.95), 120, "ms"),
        at_most("answer", "messages without an answer", len(webhooks) - len(waits), 0),
        at_most("answer", "webhooks refused", load.failures, 0),
        at_most("answer", "backlog at the end", backlog, 0),
    ]


def steadily(
    stage: Stage, webhooks: list[Webhook], rate: float, statuses: tuple[str, ...] = STATUSES
) -> tuple[Load, list[float], int]:
    """The load, the seconds from due to POST of each message answered, and how many people wait at the end."""
    replies = Replies()
    stage.outside.behave(Behaviour(twilio_seconds=0.15, statuses=statuses, on_send=replies.note))
    began = time.monotonic()
    timetable = ((number / rate, webhook.request) for number, webhook in enumerate(webhooks))
    load = stage.outside.open_loop(stage.port, timetable, 32)
    time.sleep(_AFTER_SECONDS)
    backlog = int(stage.redis.zcard(f"{PREFIX}waiting"))
    due = {webhook.sid: began + number / rate for number, webhook in enumerate(webhooks)}
    waits = [replies.at[sid] - due[sid] for sid in due if sid in replies.at]
    return load, waits, backlog
