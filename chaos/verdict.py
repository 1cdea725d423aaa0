"""Did each person hear exactly what they had to hear? Judged by what Twilio accepted for them, in that order."""

from collections import Counter
from dataclasses import dataclass, field

from chaos.crowd import Sent
from chaos.plans import HELP, Plan
from chaos.replies import Reply
from sandbox.auth import FakeAuth

# Where a person stands after each message of the plan, and the words by which a reply shows it.
STEPS = ("new", "name", "sector", "pincode", "phone", "confirmation", "completed")
QUESTIONS = {
    "name": "What is your full name?",
    "sector": "What is your business sector?",
    "pincode": "What is the pincode of your business?",
    "phone": "What is your mobile number?",
    "confirmation": "Please check your details",
    "owed": "Your details are safe",
    "completed": "you are registered",
}
SUCCESS = "You are registered"
HELP_MENU = "You can always send"


@dataclass
class Verdict:
    """One person's: each list names offences, in words."""

    plan: Plan
    sent: list[Sent]
    replies: list[Reply]
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    completed: bool = False

    @property
    def offences(self) -> list[str]:
        """Everything that is wrong."""
        unfinished = [] if self.completed else ["not completed: no success message with the login link, or no OTP"]
        return [*self.lost, *self.doubled, *self.out_of_order, *self.wrong, *unfinished]


def judge(plan: Plan, sent: list[Sent], replies: list[Reply], auth: FakeAuth) -> Verdict:
    """Compare what was sent with what was heard."""
    verdict = Verdict(plan, sorted(sent, key=lambda one: one.posted_at), replies)
    _count(verdict)
    _order(verdict)
    _words(verdict)
    _otp(verdict, auth)
    return verdict


def _count(verdict: Verdict) -> None:
    answered = {reply.cause for reply in verdict.replies}
    verdict.lost = [f"lost: no reply to {one.text!r} ({one.sid})" for one in verdict.sent if one.sid not in answered]
    for reference, times in Counter(reply.reference for reply in verdict.replies).items():
        if times > 1:
            verdict.doubled.append(f"doubled: {reference} was accepted {times} times")
    references = {(reply.cause, reply.reference) for reply in verdict.replies}
    for cause, times in Counter(cause for cause, _ in references).items():
        if times > 1:
            verdict.doubled.append(f"doubled: {times} different replies to {cause}")
    known = {one.sid for one in verdict.sent}
    for reply in verdict.replies:
        if reply.cause not in known and not reply.cause.startswith("timer-"):
            verdict.wrong.append(f"wrong: {reply.reference!r} answers nothing this person wrote")


def _order(verdict: Verdict) -> None:
    """Who wrote B after A was through hears of A first. What was on its way at the same moment has no order."""
    places: dict[str, int] = {}
    for place, reply in enumerate(verdict.replies):
        places.setdefault(reply.cause, place)
    for first in verdict.sent:
        for second in verdict.sent:
            both = first.sid in places and second.sid in places
            if both and first.through_at < second.posted_at and places[first.sid] > places[second.sid]:
                verdict.out_of_order.append(f"out of order: {second.text!r} was answered before {first.text!r}")


def _words(verdict: Verdict) -> None:
    """Follow the conversation: each reply has to fit where the person stands by then."""
    texts = {one.sid: one.text for one in verdict.sent}
    standing = "new"
    for reply in verdict.replies:
        text = texts.get(reply.cause, "")
        expected = _expected(verdict.plan, standing, text)
        after = next((step for step in expected if _shows(reply.text, step, text)), "")
        if not after:
            verdict.wrong.append(f"wrong: at {standing!r}, to {text or reply.cause!r}: {reply.text[:60]!r}")
            return
        standing = after


def _expected(plan: Plan, standing: str, text: str) -> tuple[str, ...]:
    """Where the person may stand after a reply to this text; empty text: a reply that comes by itself."""
    if text == HELP:
        return (standing,)
    if not text:
        return ("completed",) if standing == "owed" else ()
    step = STEPS.index(standing) if standing in STEPS else len(plan.says)
    if step >= len(plan.says) or plan.says[step] != text:
        return ()
    return ("completed", "owed") if text == "YES" else (STEPS[step + 1],)


def _shows(said: str, step: str, text: str) -> bool:
    if text == HELP:
        return HELP_MENU in said and QUESTIONS[step] in said
    return (SUCCESS if step == "completed" else QUESTIONS[step]) in said


def _otp(verdict: Verdict, auth: FakeAuth) -> None:
    phone = verdict.plan.phone
    calls = [call for call in auth.calls if isinstance(call.body, dict) and call.body.get("phone_number") == phone]
    heard = any(SUCCESS in reply.text and "/login?" in reply.text for reply in verdict.replies)
    verdict.completed = heard and bool(calls)
    otps = sum(otp.phone == phone for otp in auth.otps)
    if otps > 1:
        verdict.doubled.append(f"doubled: {otps} OTPs went out")
    for call in calls:
        told = call.body["metadata"]["onboarding_data"]
        if (told["name"], told["pincode"]) != (verdict.plan.name, verdict.plan.pincode):
            verdict.wrong.append("wrong: the Auth API was given other details than the person wrote")
