"""Saying what is to be said: emptying one person's outbox, in order, each message once.

What may be done with the head is asked of `store.outboxes` before every POST, and what became of it is recorded after.
If we die in between, the attempt is in doubt, and is looked up before anything is sent again.
"""

import random
import time
from datetime import timedelta

import structlog

from pipeline import logs, pace
from pipeline.errors import SendError
from pipeline.runtime import Runtime
from pipeline.store.outboxes import SETTLE_SECONDS, Verdict, Waiting
from pipeline.store.script import both
from pipeline.store.turns import Hold, Standing
from pipeline.texts import trouble as texts
from pipeline.twilio_api.codes import ADVICE

log = logs.get(__name__)

# Shorter waits, for pace, are slept; longer ones become a due time.
_NAP_MS = 1000
_NAPS_AT_MOST = 2
# A recorded attempt may be posted this long; later another worker may already be settling it.
_POST_WITHIN_SECONDS = 1.0
_STOPPED_SECONDS = 30
# Connecting may have used up the time in which an attempt is left alone; what Twilio took last needs a moment to show.
_SHOWN_WITHIN_SECONDS = 5.0
# Twilio's times are whole seconds of its own clock.
_CLOCKS_APART = timedelta(seconds=60)
_LATE_AFTER = timedelta(minutes=10)


def deliver(runtime: Runtime, hold: Hold, verdict: Verdict | None = None) -> Standing | bool | None:
    """Sends what may be sent now, beginning with `verdict` where that is known; what must wait has a due time when this
    returns. Answers what `Turns.release` does when the lock was to be given back with the last word, else None."""
    naps = 0
    while True:
        verdict = verdict or runtime.outboxes.attempt(hold)
        waiting = verdict.waiting
        if verdict.says in ("empty", "wait"):
            return None
        if verdict.says == "pace":
            naps += 1
            if verdict.wait_ms > _NAP_MS or naps > _NAPS_AT_MOST or runtime.stopping.wait(verdict.wait_ms / 1000):
                return None
        elif waiting is not None:
            with structlog.contextvars.bound_contextvars(trace=logs.trace_of(waiting.reference)):
                left = _act(runtime, hold, verdict, waiting)
            if left is not None:
                return left
        verdict = None


def _act(runtime: Runtime, hold: Hold, verdict: Verdict, waiting: Waiting) -> Standing | bool | None:
    if verdict.says == "go" and waiting.text is not None:
        return _post(runtime, hold, verdict, waiting)
    if waiting.text is None:
        log.error("unopenable", problem=waiting.problem)
        runtime.outboxes.settle(hold, waiting.reference, "drop", reason="cannot be opened")
    elif verdict.says == "closed":
        _drop(runtime, hold, waiting, "outside window")
    elif verdict.says == "doubt":
        _find_out(runtime, hold, waiting)
    return None


def _post(runtime: Runtime, hold: Hold, verdict: Verdict, waiting: Waiting) -> Standing | bool | None:
    text = _body(waiting, late=bool(verdict.now and verdict.now - waiting.written_at > _LATE_AFTER))
    if time.monotonic() - verdict.asked_at > _POST_WITHIN_SECONDS:
        log.warning("attempt_too_old", ref=waiting.reference)
        runtime.outboxes.settle(hold, waiting.reference, "unsent")
        return None
    try:
        sid = runtime.twilio.send(waiting.address, text, waiting.reference, waiting.content_sid, waiting.variables)
    except SendError as error:
        _refused(runtime, hold, waiting, error, time.monotonic() - verdict.asked_at)
        return None
    sent = runtime.outboxes.sent_call(hold, waiting.reference, sid)
    _, left = both(runtime.redis, sent, runtime.turns.release_if_all_is_said_call(hold))
    log.info("sent", ref=waiting.reference, sid=sid)
    return left


def _refused(runtime: Runtime, hold: Hold, waiting: Waiting, error: SendError, seconds_since: float) -> None:
    reference = waiting.reference
    log.warning("not_sent", ref=reference, decision=error.decision, code=error.code, tries=waiting.tries)
    if error.decision == "retry":
        delay = pace.retry_delay(waiting.tries, error.retry_after, random.random())
        runtime.outboxes.settle(hold, reference, "again", code=error.code, wait_ms=round(delay * 1000))
    elif error.decision == "in doubt":
        wait = max(_SHOWN_WITHIN_SECONDS, SETTLE_SECONDS - seconds_since)
        runtime.outboxes.settle(hold, reference, "doubt", code=error.code, wait_ms=round(wait * 1000))
    elif error.decision == "stop all":
        log.error("sending_stopped", code=error.code, advice=ADVICE["stop all"])
        runtime.outboxes.settle(hold, reference, "stop", code=error.code, wait_ms=_STOPPED_SECONDS * 1000)
    else:
        _drop(runtime, hold, waiting, error.decision, error.code)


def _drop(runtime: Runtime, hold: Hold, waiting: Waiting, reason: str, code: int = 0) -> None:
    log.error("dropped", ref=waiting.reference, reason=reason, code=code)
    runtime.outboxes.settle(hold, waiting.reference, "drop", code=code, reason=reason)


def _find_out(runtime: Runtime, hold: Hold, waiting: Waiting) -> None:
    """No callback told what became of the attempt: Twilio's own list does."""
    assert waiting.attempted_at is not None
    try:
        listed = runtime.twilio.sent_to(waiting.address, waiting.attempted_at - _CLOCKS_APART)
    except SendError as error:
        log.warning("still_in_doubt", ref=waiting.reference, decision=error.decision, code=error.code)
        runtime.outboxes.settle(hold, waiting.reference, "doubt", wait_ms=5000)
        return
    claimed = runtime.outboxes.claimed_sids(hold)
    bodies = (_body(waiting, late=False), _body(waiting, late=True))
    # What a template came out as is known to Twilio alone.
    ours = [m for m in listed if m.sid not in claimed and (waiting.content_sid or m.text in bodies)]
    log.info("doubt_settled", ref=waiting.reference, found=bool(ours))
    if ours:
        runtime.outboxes.settle(hold, waiting.reference, "sent", sid=ours[-1].sid, reason="listed")
    else:
        runtime.outboxes.settle(hold, waiting.reference, "again", reason="listed")


def _body(waiting: Waiting, late: bool) -> str:
    text = waiting.text or ""
    return texts.late(text) if late else text
