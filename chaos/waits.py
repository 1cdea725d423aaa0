"""How long people waited, and what had happened meanwhile."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from chaos.faults import Fault
from chaos.trouble import Happening
from chaos.verdict import Verdict

# The product sends one person at most one message a second.
PACE_SECONDS = 1.0
UNKNOWN_OUTCOME = ("500", "500_after", "dropped_before", "dropped_after", "hang_after")
# A fault is noted a moment before the message it is about is accepted.
_MOMENT = 0.2

NOTHING = "nothing near it"
CAUGHT_UP = "never acknowledged, caught up"


@dataclass(frozen=True)
class Wait:
    """One reply. `seconds`: from the message's 200 to the acceptance of its reply; `delay`: the part of it that is
    not the pace of one person's earlier replies."""

    seconds: float
    delay: float
    cause: str


def waits(verdicts: Iterable[Verdict], happened: list[Happening], faults: list[Fault]) -> list[Wait]:
    """Of every message that was answered."""
    by_address: dict[str, list[Fault]] = {}
    for fault in faults:
        by_address.setdefault(fault.request.split("|")[1], []).append(fault)
    return [wait for verdict in verdicts for wait in _of(verdict, happened, by_address.get(verdict.plan.address, []))]


def _of(verdict: Verdict, happened: list[Happening], faults: list[Fault]) -> list[Wait]:
    sent = {one.sid: one for one in verdict.sent}
    beginning = min((one.through_at for one in verdict.sent), default=0.0)
    clocks = [beginning, *(reply.clock for reply in verdict.replies)]
    found = []
    for (previous, clock), reply in zip(pairwise(clocks), verdict.replies, strict=True):
        if reply.cause in sent:
            since = sent[reply.cause].through_at
            ready = max(since, previous + PACE_SECONDS)
            cause = _cause(happened, faults, min(since, previous) - _MOMENT, max(since, previous), clock)
            cause = cause if sent[reply.cause].acknowledged else CAUGHT_UP
            found.append(Wait(max(0.0, clock - since), max(0.0, clock - ready), cause))
    return found


def _cause(happened: list[Happening], faults: list[Fault], faults_since: float, since: float, until: float) -> str:
    """The first that applies: what delays longest stands first."""
    during = {one.deed for one in happened if one.began <= until and one.ended >= since}
    kinds = {fault.kind for fault in faults if faults_since <= fault.clock <= until}
    applies = {
        "Redis away": {"restart Redis", "kill Redis", "hang Redis"} & during,
        "Twilio: outcome unknown": kinds & set(UNKNOWN_OUTCOME),
        "Twilio: refused for now": kinds,
        "a worker's parent killed or rolled": {"roll workers", "kill worker parent"} & during,
        "a worker process killed": {"kill worker"} & during,
        "a worker process frozen": {"freeze worker"} & during,
        "a web process killed": {"kill web"} & during,
        "Twilio unreachable for a moment": {"refuse"} & during,
    }
    return next((cause for cause, shown in applies.items() if shown), NOTHING)
