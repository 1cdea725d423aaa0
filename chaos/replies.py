"""What a person was sent, as Twilio saw it, and which of their messages each of it answers."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from sandbox.ledger import Message

# The product puts `<contact key>-<what it answers>-<number>` into the address of the status callback.
REFERENCE = re.compile(r"[0-9a-f]{32}-(?P<cause>SM[0-9a-f]{32}|timer-\d+)-(?P<number>\w+)")


@dataclass(frozen=True)
class Reply:
    """One accepted message. `cause`: the sid it answers, `timer-…` for what comes unasked, empty when unknown."""

    reference: str
    cause: str
    text: str
    clock: float


def replies_in(messages: list[Message]) -> list[Reply]:
    """Accepted messages as replies, in the same order."""
    return [_reply(message) for message in messages]


def _reply(message: Message) -> Reply:
    query = parse_qs(urlsplit(message.form.get("StatusCallback", "")).query)
    reference = query.get("ref", [""])[0]
    known = REFERENCE.fullmatch(reference)
    return Reply(reference, known["cause"] if known else "", message.body, message.clock)
