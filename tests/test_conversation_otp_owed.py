"""While the Auth API is down: the details are safe, and the OTP is asked for again."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from pipeline.effects import AlreadyRegistered, AuthUnavailable, OtpAnswer, OtpDue, OtpRefused, OtpSent, OtpUnderWay
from pipeline.session import Session
from pipeline.texts import en as texts
from tests.conversation_script import DESK, SILENCE, Chat, new_chat

DOWN = AuthUnavailable()
SAFE = "Your details are safe. I'll send the OTP as soon as I can."


@pytest.fixture
def chat() -> Iterator[Chat]:
    yield from new_chat()


@pytest.fixture
def owed(chat: Chat) -> Chat:
    """A conversation in which YES has met a dead Auth API."""
    chat.at("confirmation").auth_answers(DOWN)
    return chat >> "yes" << (SAFE, "*YES*", "*EDIT*")


def keys(chat: Chat) -> set[str]:
    return {request.key for request in chat.otp_requests}


def test_yes_while_the_auth_api_is_down_keeps_the_details_and_plans_another_try(owed: Chat) -> None:
    plan = owed.session.owed
    assert owed.session.current_step == "confirmation"
    assert owed.contact.registered_at is None
    assert plan
    assert (plan.key, plan.tries, plan.retry_at) == (owed.otp_requests[0].key, 1, owed.now + timedelta(seconds=60))


def test_the_otp_is_asked_for_again_by_itself_and_the_success_told_unasked(owed: Chat) -> None:
    owed.later(seconds=60) >> OtpDue() << ("registered", "OTP", "*RESEND*")
    assert owed.session.current_step == "completed"
    assert owed.session.owed is None
    assert owed.contact.registered_at == owed.now
    assert len(owed.otp_requests) == 2
    assert len(keys(owed)) == 1


@pytest.mark.parametrize("answer", [OtpUnderWay(5), AlreadyRegistered()])
def test_other_good_answers_are_told_unasked_too(owed: Chat, answer: OtpAnswer) -> None:
    owed.auth_answers(answer).later(seconds=60) >> OtpDue() << "/login?phone="
    assert owed.session.current_step == "completed"


def test_tries_in_vain_are_silent_until_the_last(owed: Chat) -> None:
    owed.auth_answers(DOWN, DOWN).later(seconds=60) >> OtpDue() << SILENCE
    plan = owed.session.owed
    assert plan
    assert (plan.tries, plan.retry_at) == (2, owed.now + timedelta(seconds=120))
    owed.later(seconds=120) >> OtpDue() << ("could not be sent", "*YES*", DESK.support_email)
    assert owed.session.owed is None
    assert owed.session.current_step == "confirmation"
    owed >> "yes" << "registered"


def test_a_refusal_after_the_outage_is_told(owed: Chat) -> None:
    owed.auth_answers(OtpRefused()).later(seconds=60) >> OtpDue() << ("*EDIT*", "*YES*")
    assert owed.session.owed is None


def test_yes_meanwhile_tries_at_once_with_the_same_key(owed: Chat) -> None:
    owed.auth_answers(DOWN, OtpSent()) >> "yes" << SAFE >> "yes" << "registered"
    assert len(owed.otp_requests) == 3
    assert len(keys(owed)) == 1


@pytest.mark.parametrize(
    "words", [["edit"], ["no"], ["back"], ["restart"], ["pincode"], ["no", "3"], ["stop"], ["delete my data"]]
)
def test_whoever_goes_elsewhere_is_not_sent_the_otp(owed: Chat, words: list[str]) -> None:
    for word in words:
        owed >> word << ""
    assert owed.session.owed is None
    owed.later(hours=1) >> OtpDue() << SILENCE
    assert len(owed.otp_requests) == 1


def test_another_yes_after_a_change_is_another_wish(owed: Chat) -> None:
    owed >> "edit" << "3. Pincode" >> "3" << "pincode" >> "400002" << "*YES*" >> "yes" << "registered"
    assert len(keys(owed)) == 2


@pytest.mark.parametrize("word", ["hi", "help", "status", "support", "what?", "my data"])
def test_other_words_leave_it_planned_and_say_so(owed: Chat, word: str) -> None:
    owed >> word << (SAFE, "*YES*", "*EDIT*")
    assert owed.session.owed


def test_an_early_or_needless_reminder_does_nothing(owed: Chat) -> None:
    before: Session = owed.session
    owed.later(seconds=30) >> OtpDue() << SILENCE
    assert owed.session == before
    assert len(owed.otp_requests) == 1
    other = Chat().at("pincode") >> OtpDue() << SILENCE
    assert other.session.current_step == "pincode"
    assert Chat() >> OtpDue() << SILENCE


def test_stop_says_that_the_otp_is_not_asked_for_any_more(owed: Chat) -> None:
    owed >> "stop" << ("Your OTP is not asked for any more", "*HI*") >> "hi" << "Is everything correct?"


def test_an_opt_out_twilio_has_answered_cancels_it_too(owed: Chat) -> None:
    owed >> owed.inbound("STOP", opt_out="STOP") << SILENCE
    owed.later(seconds=60) >> OtpDue() << SILENCE
    assert len(owed.otp_requests) == 1


def test_a_resend_is_owed_in_the_same_way(chat: Chat) -> None:
    resend = chat.at("completed").auth_answers(DOWN, DOWN, DOWN).inbound("resend")
    registered_at = chat.contact.registered_at
    chat >> resend << (SAFE, "*RESEND*") >> "resend" << SAFE
    assert chat.session.current_step == "completed"
    chat.later(seconds=60) >> OtpDue() << SILENCE
    chat.later(seconds=120) >> OtpDue() << ("new OTP", "/login")
    assert {request.key for request in chat.otp_requests[1:]} == {resend.sid}
    assert chat.contact.registered_at == registered_at


def test_a_resend_given_up_says_resend(chat: Chat) -> None:
    chat.at("completed").auth_answers(DOWN, DOWN, DOWN) >> "resend" << SAFE
    chat.later(seconds=60) >> OtpDue() << SILENCE
    chat.later(seconds=120) >> OtpDue() << ("*RESEND*", DESK.support_email)
    assert chat.session.current_step == "completed"


def test_an_owed_otp_dies_with_the_session(owed: Chat) -> None:
    owed.later(hours=25) >> OtpDue() << SILENCE >> "hi" << ("expired", texts.NAME_QUESTION)
