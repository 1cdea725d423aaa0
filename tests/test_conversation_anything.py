"""Whatever people type, whatever the Auth API answers, whenever: no exception, one reply, a valid session."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.answers.words import COMMAND_WORDS
from pipeline.conversation import advance
from pipeline.effects import (
    AlreadyRegistered,
    AuthUnavailable,
    EraseContact,
    Erased,
    OtpAnswer,
    OtpDue,
    OtpRefused,
    OtpSent,
    OtpUnderWay,
)
from pipeline.messages import Inbound
from pipeline.session import SECTORS, STEPS, Contact, Person, Session, Turn
from tests.conversation_script import DESK, INDIAN, RECEIPT, Chat

LIMIT = 1600
USUAL = [
    "Hi",
    "Asha Devi",
    "3",
    "textil",
    "yes",
    "no",
    "400001",
    "999999",
    "9876543210",
    "same",
    "edit",
    "1",
    "5",
    "resend",
]
COMMANDS = ["hi", "help", "back", "status", "support", "restart", "stop", "start", "my data", "delete my data"]
WORDS = sorted(word for listed in COMMAND_WORDS.values() for word in listed)
LONG_NAME = "🏪" * 99 + "ठ"
SHAPES = st.builds(
    dict,
    media=st.sampled_from([0, 0, 0, 1]),
    location=st.sampled_from([False, False, False, True]),
    tapped=st.sampled_from(["", "", "YES", "3"]),
    opt_out=st.sampled_from(["", "", "", "STOP", "START", "HELP"]),
)
# Any code point at all, lone surrogates among them.
ODD = st.one_of(
    st.text(st.characters(), max_size=40),
    st.text(st.characters(categories=["L", "Nd", "M", "Cf"]), max_size=120),
    st.sampled_from([LONG_NAME, "x" * 1600]),
)
TEXTS = st.one_of(st.sampled_from(USUAL), st.sampled_from(COMMANDS), st.sampled_from(WORDS), ODD)
INBOUND = st.builds(lambda text, shape: Inbound("SM1", INDIAN, text, **shape), TEXTS, SHAPES)
PLAIN = st.builds(lambda text: Inbound("SM1", INDIAN, text), TEXTS)
USEFUL = st.sampled_from([Inbound("SM1", INDIAN, text) for text in USUAL])
AUTH = st.sampled_from([OtpSent(), OtpUnderWay(30), AlreadyRegistered(), OtpRefused(), AuthUnavailable()])
SECONDS = st.sampled_from([1, 1, 1, 1, 61, 61, 200, 3 * 3600, 25 * 3600, 86400 * 30])
EVENTS = st.lists(st.tuples(USEFUL | PLAIN | INBOUND | st.just(OtpDue()), AUTH, SECONDS), max_size=20)
BEGUN = {step: Chat().at(step).person for step in STEPS} | {"": Person(None, Contact(INDIAN))}
WORDY_DESK = replace(DESK, support_email="é" * 3000, support_phone="🏪" * 3000, support_hours="*" * 3000)


def performed(turn: Turn, answer: OtpAnswer, now: datetime) -> Turn:
    """The turn after its effect, as the shell would perform it."""
    while turn.effect:
        assert turn.replies == ()
        erased = isinstance(turn.effect, EraseContact)
        turn = advance(turn.person, Erased(RECEIPT) if erased else answer, now, WORDY_DESK)
    return turn


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def assert_valid(person: Person) -> None:
    if person.session:
        stored = json.loads(json.dumps(person.session.to_json()))
        assert Session.from_json(stored) == person.session
        details = person.session.data
        assert re.fullmatch(r"(\+91[6-9]\d{9})?", details.phone, re.ASCII)
        assert re.fullmatch(r"([1-9]\d{5})?", details.pincode, re.ASCII)
        assert details.sector in ("", *SECTORS)
        assert not details.name or 2 <= len(details.name) <= 100
        details.name.encode()
        if person.session.current_step in ("confirmation", "completed"):
            assert len(details.to_json()) == 4
    stored = json.loads(json.dumps(person.contact.to_json()))
    assert Contact.from_json(stored) == person.contact


HAPPY = [
    (Inbound("SM1", INDIAN, text), AuthUnavailable(), 1) for text in ("hi", LONG_NAME, "9", "793119", "same", "yes")
]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(BEGUN)), EVENTS)
@example("", [*HAPPY, (Inbound("SM1", INDIAN, "my data"), OtpSent(), 1)])
@example(
    "",
    [*HAPPY, *[(Inbound("SM1", INDIAN, word), OtpRefused(), 1) for word in ("support", "help", "yes", "edit", "what")]],
)
@example(
    "",
    [*HAPPY, (OtpDue(), OtpSent(), 61), *[(Inbound("SM1", INDIAN, w), OtpSent(), 1) for w in ("restart", "my data")]],
)
def test_whatever_happens_there_is_one_reply_and_a_valid_session(
    begun: str,
    events: list[tuple[Inbound | OtpDue, OtpAnswer, int]],
) -> None:
    person, now = BEGUN[begun], datetime(2026, 1, 5, 10, 1, tzinfo=UTC)
    for event, answer, seconds in events:
        now += timedelta(seconds=seconds)
        turn = performed(advance(person, event, now, WORDY_DESK), answer, now)
        if isinstance(event, Inbound):
            assert len(turn.replies) == (0 if event.opt_out or turn.outcome == "muted" else 1)
        assert len(turn.replies) <= 1
        for reply in turn.replies:
            assert reply.text.strip()
            assert units(reply.text) <= LIMIT
            reply.text.encode()
        assert_valid(turn.person)
        person = turn.person


@given(AUTH, st.sampled_from(["", "hi", "Asha"]))
def test_an_answer_that_nobody_waits_for_changes_nothing(answer: OtpAnswer, said: str) -> None:
    now = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
    person = Person(None, Contact(INDIAN))
    if said:
        person = advance(person, Inbound("SM1", INDIAN, said), now, DESK).person
    turn = advance(person, answer, now, DESK)
    assert (turn.person, turn.replies, turn.effect) == (person, (), None)
