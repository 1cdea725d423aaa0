"""A conversation as a test reads it: `chat >> "hi" << texts.NAME_QUESTION >> "Asha Devi" << "business sector"`.

`>>` is what happens to the bot: a text, an `Inbound`, an `OtpDue`. `<<` is what the bot says: a part of its reply, or
several parts. The script fails, and shows what was expected beside what happened, when a reply was not expected, does
not come, or says something else.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from textwrap import wrap
from typing import Self

import pytest

from pipeline.conversation import advance
from pipeline.desk import Desk
from pipeline.effects import EraseContact, Erased, OtpAnswer, OtpDue, OtpSent, RequestOtp
from pipeline.messages import Inbound
from pipeline.session import Contact, Person, Session, Step, Turn

INDIAN = "whatsapp:+919876543210"
DESK = Desk(
    web_app_url="https://msmebazaar.example",
    support_email="support@msmebazaar.example",
    support_phone="+91 22 4000 0000",
    support_hours="Mon-Fri 9AM-6PM IST",
    session_hours=24,
    contact_days=180,
    otp_waits=(timedelta(seconds=60), timedelta(seconds=120)),
)
RECEIPT = "7F3A"
ANSWERS: dict[Step, str] = {
    "name": "Asha Devi",
    "sector": "3",
    "pincode": "400001",
    "phone": "9876543210",
    "confirmation": "YES",
}


class Silence:
    """Nothing is said."""

    def __repr__(self) -> str:
        return "(silence)"


SILENCE = Silence()
Said = str | Inbound | OtpDue
Expected = str | tuple[str, ...] | Silence


class Chat:
    """One person's conversation, with the world's answers given: the Auth API sends OTPs unless told otherwise."""

    def __init__(self, address: str = INDIAN) -> None:
        self.person = Person(None, Contact(address))
        self.now = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
        self.turn = Turn(self.person)
        self.otp_requests: list[RequestOtp] = []
        self._auth: list[OtpAnswer] = []
        self._unclaimed: list[str] = []
        self._expected: list[str] = []
        self._happened: list[str] = []
        self._count = 0

    def __rshift__(self, said: Said) -> Self:
        self._nothing_unclaimed()
        event = self._inbound(said) if isinstance(said, str) else said
        words = event.said if isinstance(event, Inbound) else type(event).__name__
        self._note(f">> {words}", f">> {words}")
        self.now += timedelta(seconds=1)
        self.turn = advance(self.person, event, self.now, DESK)
        while self.turn.effect:
            self.turn = advance(self.turn.person, self._answer(self.turn.effect), self.now, DESK)
        self.person = self.turn.person
        self._unclaimed = [reply.text for reply in self.turn.replies]
        return self

    def __lshift__(self, expected: Expected) -> Self:
        said = self._unclaimed.pop(0) if self._unclaimed else repr(SILENCE)
        parts = (expected,) if isinstance(expected, str) else expected
        wanted = repr(SILENCE) if isinstance(parts, Silence) else " … ".join(parts)
        self._note(f"<< {wanted}", f"<< {said}")
        missing = [wanted] if isinstance(parts, Silence) else [part for part in parts if part not in said]
        if missing if not isinstance(parts, Silence) else said != wanted:
            self._fail(f"the bot did not say {missing[0]!r}")
        return self

    @property
    def session(self) -> Session:
        """Where the conversation stands."""
        assert self.person.session, "there is no session"
        return self.person.session

    @property
    def contact(self) -> Contact:
        """What is remembered of the person."""
        return self.person.contact

    def auth_answers(self, *answers: OtpAnswer) -> Self:
        """What the Auth API answers next; when used up, it sends OTPs."""
        self._auth = list(answers)
        return self

    def later(self, **span: float) -> Self:
        """Time passes."""
        self.now += timedelta(**span)
        return self

    def at(self, step: Step) -> Self:
        """The conversation brought to `step` by the usual answers, which are not part of the script."""
        for said in ("Hi", *ANSWERS.values()):
            if self.person.session and self.person.session.current_step == step:
                break
            self >> said
            self._unclaimed.clear()
        assert self.session.current_step == step
        self._expected, self._happened = [f"(at {step})"], [f"(at {step})"]
        return self

    def inbound(self, text: str = "", **shape: object) -> Inbound:
        """A message of this person, of any shape."""
        return replace(self._inbound(text), **shape)  # type: ignore[arg-type]

    def finish(self) -> None:
        """The script is over: nothing may be left that nobody expected."""
        self._nothing_unclaimed()

    def _inbound(self, text: str) -> Inbound:
        self._count += 1
        return Inbound(f"SM{self._count:032x}", self.person.contact.address, text)

    def _answer(self, effect: RequestOtp | EraseContact) -> OtpAnswer | Erased:
        if isinstance(effect, EraseContact):
            return Erased(RECEIPT)
        self.otp_requests.append(effect)
        return self._auth.pop(0) if self._auth else OtpSent()

    def _nothing_unclaimed(self) -> None:
        if self._unclaimed:
            self._note(f"<< {SILENCE!r}", f"<< {self._unclaimed.pop(0)}")
            self._fail("the bot said something that nobody expected")

    def _note(self, expected: str, happened: str) -> None:
        self._expected.append(expected)
        self._happened.append(happened)

    def _fail(self, what: str) -> None:
        lines = [f"{what}\n", f"{'expected':<52}| happened"]
        for left, right in zip(self._expected, self._happened, strict=True):
            columns = [[row for line in side.split("\n") for row in wrap(line, 50) or [""]] for side in (left, right)]
            lines += [f"{a:<52}| {b}" for a, b in zip_longest(*columns, fillvalue="")]
        pytest.fail("\n".join(lines), pytrace=False)


def new_chat(address: str = INDIAN) -> Iterator[Chat]:
    """For a fixture: a conversation that is checked to its end."""
    chat = Chat(address)
    yield chat
    chat.finish()
