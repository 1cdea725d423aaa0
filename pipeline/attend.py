"""Attending to a person: every turn that waits is taken, in order, and what is to be said is said.

This part does and decides nothing: what is said is decided by `conversation.advance`, what is written is decided by the
scripts behind `store`. Whatever dies in here, at any line, another worker goes on from the last commit.
"""

import time
from dataclasses import replace
from typing import assert_never

import structlog
from redis.exceptions import RedisError

from pipeline import broadcasts, conversation, delivery, logs
from pipeline.effects import Answer, AuthUnavailable, Effect, EraseContact, Erased, OtpAnswer, OtpDue, RequestOtp
from pipeline.errors import LockLostError
from pipeline.messages import Reply
from pipeline.runtime import Runtime
from pipeline.store.audit import audit_line
from pipeline.store.outboxes import Verdict
from pipeline.store.script import both
from pipeline.store.turns import Hold, Standing
from pipeline.texts import trouble as texts

log = logs.get(__name__)

# Then the lock is given back and the person queues up again, so that nobody keeps a worker to themselves.
_TURNS_AT_MOST = 10
_SECONDS_AT_MOST = 10.0
# A message that was begun this often and never finished takes the process down with it.
_STARTS_AT_MOST = 10

# What waits after a turn, and what may be done with the outbox head, where that was asked in the same round trip.
_Left = tuple[Standing, Verdict | None]


def attend(runtime: Runtime, key: str) -> None:
    """Looks after the person behind `key` (theirs or that of one of their addresses), unless another does already."""
    taken = runtime.turns.take(key)
    if taken is None:
        return
    hold, standing = taken
    runtime.holds.add(hold)
    try:
        with structlog.contextvars.bound_contextvars(contact=hold.key):
            _attend(runtime, hold, standing)
    except LockLostError:
        log.info("lock_lost", contact=hold.key)
    finally:
        runtime.holds.remove(hold)


def _attend(runtime: Runtime, hold: Hold, standing: Standing) -> None:
    started, turns = time.monotonic(), 0
    verdict: Verdict | None
    while True:
        verdict = None
        if standing.sid or standing.timer_is_due:
            standing, verdict = _turn_or_set_aside(runtime, hold, standing)
            turns += 1
            if standing.flooded:
                runtime.turns.say(hold, standing, Reply(texts.SLOW_DOWN), "slow", pause_seconds=60)
        elif standing.broadcast:
            offer = broadcasts.offer(runtime, hold, standing)
            _, verdict = both(runtime.redis, offer, runtime.outboxes.attempt_call(hold))
        left = delivery.deliver(runtime, hold, verdict)
        is_long = turns >= _TURNS_AT_MOST or time.monotonic() - started > _SECONDS_AT_MOST
        is_enough = is_long or runtime.stopping.is_set()
        if left is None or (is_enough and not isinstance(left, bool)):
            left = runtime.turns.release(hold, anyway=is_enough)
        if isinstance(left, bool):
            if left:
                runtime.wakeups.wake([hold.key])
            return
        standing = left


def _turn_or_set_aside(runtime: Runtime, hold: Hold, standing: Standing) -> _Left:
    """Takes one turn. A turn that raises is tried again, the third time its message is set aside."""
    with structlog.contextvars.bound_contextvars(trace=standing.sid or "timer"):
        for problem in standing.problems:
            log.error("unopenable", problem=problem)
        if standing.starts > _STARTS_AT_MOST:
            return _set_aside(runtime, hold, standing, "began ten times and never ended", at_once=True)
        if standing.person is None or (standing.sid and standing.inbound is None):
            return _set_aside(runtime, hold, standing, "cannot be opened", at_once=True)
        try:
            return _take_turn(runtime, hold, standing)
        except (LockLostError, RedisError):
            raise
        except Exception as error:
            log.error("turn_raised", error=error)
            return _set_aside(runtime, hold, standing, f"raised {type(error).__name__}", at_once=False)


def _take_turn(runtime: Runtime, hold: Hold, standing: Standing) -> _Left:
    assert standing.person is not None
    person = standing.person
    if standing.session_lost:
        # Nobody is to be told that their answers have expired.
        person = replace(person, contact=replace(person.contact, last_step=""))
    step_before = person.session.current_step if person.session else "none"
    turn = conversation.advance(person, standing.inbound or OtpDue(), standing.now, runtime.desk)
    outcome, counters = turn.outcome, []
    while turn.effect is not None:
        began = time.monotonic()
        answer = _perform(runtime, turn.effect, standing)
        counters.append(f"time:{type(turn.effect).__name__} {(time.monotonic() - began) * 1000:.0f}")
        counters.append(f"answer:{type(answer).__name__}")
        turn = conversation.advance(turn.person, answer, standing.now, runtime.desk)
        if isinstance(answer, Erased):
            log.info("erased", receipt=answer.receipt)
            return runtime.turns.erase(hold, standing, turn, audit_line("owner", "erase", answer.receipt)), None
    if standing.session_lost:
        turn = replace(turn, replies=texts.after_lost_session(turn.replies))
    step_after = turn.person.session.current_step if turn.person.session else "none"
    counters.append(f"turn:{step_before}:{outcome}")
    if person.session and outcome in ("answered", "otp"):
        counters.append(f"time:{step_before} {(standing.now - person.session.updated_at).total_seconds() * 1000:.0f}")
    if step_after != step_before:
        counters.append(f"step:{step_before}>{step_after}")
    log.info("turn", step=step_before, to=step_after, outcome=outcome, replies=len(turn.replies))
    commit = runtime.turns.commit_call(hold, standing, turn, counters)
    return both(runtime.redis, commit, runtime.outboxes.attempt_call(hold))


def _perform(runtime: Runtime, effect: Effect, standing: Standing) -> Answer:
    match effect:
        case RequestOtp():
            return _request_otp(runtime, effect, standing)
        case EraseContact():
            return Erased(runtime.hasher.receipt(standing.sid))
        case _:
            assert_never(effect)


def _request_otp(runtime: Runtime, effect: RequestOtp, standing: Standing) -> OtpAnswer:
    if runtime.auth_gate.is_closed():
        return AuthUnavailable()
    key = runtime.hasher.idempotency_key(effect.key)
    answer = runtime.auth.send_otp(effect.details, key, standing.sid or effect.key)
    runtime.auth_gate.note(answered=not isinstance(answer, AuthUnavailable))
    log.info("auth_api", answer=type(answer).__name__)
    return answer


def _set_aside(runtime: Runtime, hold: Hold, standing: Standing, reason: str, at_once: bool) -> _Left:
    is_aside, left = runtime.turns.raised(hold, standing, reason, Reply(texts.SOMETHING_WENT_WRONG), at_once)
    if is_aside:
        log.error("set_aside", reason=reason, advice="python -m pipeline failed list")
    return left, None
