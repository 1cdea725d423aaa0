"""What becomes of a message after Twilio has accepted it, and the callbacks that tell."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from sandbox.later import Later
from sandbox.ledger import Ledger, Message
from sandbox.webhooks import Form, deliver


@dataclass(frozen=True)
class StatusPlan:
    """Which statuses follow an acceptance, when, and which way they are told."""

    statuses: tuple[str, ...] = ("sent", "delivered")
    """In order, of queued, sending, sent, delivered, read. Empty: messages stay queued, and nothing is posted."""
    delay: tuple[float, float] = (0.01, 0.05)
    """Seconds from one status to the next, at least and at most."""
    failures: Mapping[str, int] = field(default_factory=dict)
    """Recipient, or "*" for everybody -> error code: the message is accepted, then fails with it."""
    shuffled: float = 0.0
    """The probability that the callbacks of a message come in any order."""
    doubled: float = 0.0
    """The probability that a callback comes twice."""
    lost: float = 0.0
    """The probability that the callbacks of a message never come."""
    callbacks: bool = True
    """False: the statuses change, and nothing is posted."""
    seed: int = 0


class StatusCallbacks:
    """Carries out a StatusPlan, from threads of its own."""

    def __init__(self, ledger: Ledger, auth_token: str, later: Later, plan: StatusPlan) -> None:
        self.plan = plan
        self._ledger = ledger
        self._auth_token = auth_token
        self._later = later

    def follow(self, message: Message) -> None:
        """Let a message that was just accepted go its way."""
        plan, chance = self.plan, random.Random(f"{self.plan.seed}|{message.to}|{message.body}")
        code = plan.failures.get(message.to, plan.failures.get("*"))
        steps: list[tuple[str, int | None]] = [(status, None) for status in plan.statuses]
        if code is not None:
            # WhatsApp's own refusals end in `failed`, those of the way there in `undelivered`.
            steps = [("failed" if code >= 63000 else "undelivered", code)]
        moments, when = [], 0.0
        for _ in steps:
            when += chance.uniform(*plan.delay)
            moments.append(when)
        for moment, (status, error) in zip(moments, steps, strict=True):
            self._later.call(moment, partial(self._ledger.set_status, message.sid, status, error))
        if not plan.callbacks or not message.form.get("StatusCallback") or chance.random() < plan.lost:
            return
        if chance.random() < plan.shuffled:
            chance.shuffle(steps)
        for moment, (status, error) in zip(moments, steps, strict=True):
            for _ in range(2 if chance.random() < plan.doubled else 1):
                self._later.call(moment, partial(self._tell, message, status, error))

    def _tell(self, message: Message, status: str, error_code: int | None) -> None:
        deliver(message.form["StatusCallback"], self._auth_token, _form(message, status, error_code), message.sid)


def _form(message: Message, status: str, error_code: int | None) -> Form:
    form = {
        "AccountSid": message.account_sid,
        "ApiVersion": "2010-04-01",
        "ChannelPrefix": "whatsapp",
        "ChannelToAddress": message.to.removeprefix("whatsapp:"),
        "From": message.from_,
        "MessageSid": message.sid,
        "MessageStatus": status,
        "SmsSid": message.sid,
        "SmsStatus": status,
        "StructuredMessage": "false",
        "To": message.to,
    }
    if status in ("delivered", "read"):
        form["EventType"] = status.upper()
    if error_code is not None:
        form["ErrorCode"] = str(error_code)
        form["ChannelStatusMessage"] = "The message could not be delivered"
    return list(form.items())
