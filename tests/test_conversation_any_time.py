"""What is heard at every step: greetings, commands, what cannot be read, and people who come back."""

from collections.abc import Iterator
from typing import get_args

import pytest

from pipeline.answers.words import COMMAND_WORDS, Command
from pipeline.conversation import HEARD_EVERYWHERE, STEPS
from pipeline.session import STEPS as STEP_NAMES
from pipeline.session import Details, Step
from pipeline.texts import en as texts
from tests.conversation_script import ANSWERS, DESK, INDIAN, SILENCE, Chat, new_chat

QUESTION: dict[Step, str] = {
    "name": "full name",
    "sector": "1. Manufacturing",
    "pincode": "What is the pincode",
    "phone": "What is your mobile number?",
    "confirmation": "Is everything correct?",
    "completed": "*RESEND*",
}
UNFINISHED: list[Step] = ["name", "sector", "pincode", "phone", "confirmation"]


@pytest.fixture
def chat() -> Iterator[Chat]:
    yield from new_chat()


def test_each_step_stands_in_the_table_and_is_reached_by_the_usual_answers() -> None:
    assert set(STEPS) == set(STEP_NAMES)
    assert all(Chat().at(step).session.current_step == step for step in STEP_NAMES)


def test_each_command_is_answered_at_each_step() -> None:
    assert set(HEARD_EVERYWHERE) == set(COMMAND_WORDS) == set(get_args(Command))
    for command in ("hi", "help", "restart", "support", "back", "status", "stop", "start", "my data", "delete my data"):
        for step in STEP_NAMES:
            chat = Chat().at(step) >> command
            assert len(chat.turn.replies) == 1
            assert chat.turn.outcome in ("command", "support")


# the first message


@pytest.mark.parametrize("said", ["Hi", "Asha Devi", "help", "restart", "back", "YES", "", "3", "RESEND", "x" * 1500])
def test_any_first_message_is_met_with_the_welcome(chat: Chat, said: str) -> None:
    chat >> said << (texts.WELCOME, texts.NOTICE, texts.NAME_QUESTION)
    assert chat.turn.outcome == "welcomed"


def test_a_photo_is_met_with_the_welcome_too(chat: Chat) -> None:
    chat >> chat.inbound(media=1) << (texts.WELCOME, texts.NAME_QUESTION)


def test_who_asks_for_the_team_first_hears_of_it_in_the_welcome(chat: Chat) -> None:
    chat >> "support" << (DESK.support_email, texts.WELCOME, texts.NAME_QUESTION)
    assert chat.turn.outcome == "support"


# greetings


@pytest.mark.parametrize(
    "greeting", ["hi", "Hello!", "START", "namaste", "नमस्ते", "hey", "Good morning", "hi 👋", "Hiiii"]
)
@pytest.mark.parametrize("step", STEP_NAMES)
def test_a_greeting_on_the_way_is_never_an_answer(chat: Chat, step: Step, greeting: str) -> None:
    told = chat.at(step).session.data
    chat >> greeting << (texts.WELCOME_BACK, QUESTION[step])
    assert (chat.session.current_step, chat.session.data) == (step, told)


def test_a_greeting_shows_the_details_so_far(chat: Chat) -> None:
    chat.at("phone") >> "hello" << ("Asha Devi", "Technology", "400001 — Mumbai", "What is your mobile number?")


# HELP, SUPPORT, STATUS, RESTART


@pytest.mark.parametrize("step", STEP_NAMES)
def test_help_shows_the_words_and_asks_again(chat: Chat, step: Step) -> None:
    chat.at(step) >> "HELP." << ("*BACK*", "*RESTART*", "*SUPPORT*", "*STATUS*", "*MY DATA*", "*STOP*", QUESTION[step])


@pytest.mark.parametrize("step", STEP_NAMES)
def test_support_tells_how_to_reach_the_team(chat: Chat, step: Step) -> None:
    chat.at(step) >> "support" << (DESK.support_email, DESK.support_phone, DESK.support_hours, QUESTION[step])
    assert chat.turn.outcome == "support"


@pytest.mark.parametrize(
    ("step", "answered"), [("name", "0 of 4"), ("pincode", "2 of 4"), ("confirmation", "4 answers")]
)
def test_status_tells_where_it_stands(chat: Chat, step: Step, answered: str) -> None:
    chat.at(step) >> "status" << (answered, QUESTION[step])


@pytest.mark.parametrize("step", STEP_NAMES)
@pytest.mark.parametrize("word", ["restart", "Start over"])
def test_restart_begins_at_the_name(chat: Chat, step: Step, word: str) -> None:
    chat.at(step) >> word << (texts.STARTED_AGAIN, texts.NAME_QUESTION)
    assert (chat.session.current_step, chat.session.data) == ("name", Details())


# BACK


@pytest.mark.parametrize(("step", "before"), list(zip(UNFINISHED[1:], UNFINISHED, strict=False)))
def test_back_goes_one_question_back_and_keeps_the_answers(chat: Chat, step: Step, before: Step) -> None:
    told = chat.at(step).session.data
    chat >> "back" << ("Your answer was", QUESTION[before])
    assert (chat.session.current_step, chat.session.data) == (before, told)
    chat >> ANSWERS[before] << QUESTION[step]


def test_back_at_the_name_says_that_it_is_the_first_question(chat: Chat) -> None:
    chat.at("name") >> "back" << (texts.FIRST_QUESTION, texts.NAME_QUESTION)


def test_answers_kept_are_not_asked_for_again(chat: Chat) -> None:
    chat.at("phone") >> "back" << "pincode" >> "back" << "sector" >> "back" << "name" >> "Ravi" << "mobile number"
    assert chat.session.data == Details("Ravi", "Technology", "400001")


def test_back_from_a_change_returns_to_the_confirmation(chat: Chat) -> None:
    chat.at("confirmation") >> "no" << "change" >> "2" << "1. Manufacturing" >> "back" << ("Technology", "*YES*")
    chat >> "back" << "mobile number"


def test_back_takes_away_a_question_on_top_of_the_step(chat: Chat) -> None:
    chat.at("confirmation") >> "no" << "5. Start over" >> "back" << "Is everything correct?"
    chat = (
        Chat().at("sector") >> "textil" << "Did you mean" >> "back" << "1. Manufacturing" >> "yes" << "1. Manufacturing"
    )


def test_back_from_a_near_miss_within_a_change_stays_in_the_change(chat: Chat) -> None:
    chat.at("confirmation") >> "no" << "change" >> "2" << "1. Manufacturing" >> "textil" << "Did you mean"
    chat >> "back" << "1. Manufacturing" >> "back" << ("Sector: Technology", "*YES*")


def test_back_after_the_registration_changes_nothing(chat: Chat) -> None:
    chat.at("completed") >> "back" << "registered"
    assert chat.session.current_step == "completed"


# what cannot be read


@pytest.mark.parametrize("step", STEP_NAMES)
def test_what_is_no_text_is_asked_for_as_text_and_nothing_is_lost(chat: Chat, step: Step) -> None:
    told = chat.at(step).session.data
    for shape in ({"media": 1}, {"media": 3, "text": "my shop"}, {"location": True}, {"text": "\u200b \n"}, {}):
        chat.later(minutes=1) >> chat.inbound(**shape) << (texts.TEXT_ONLY, QUESTION[step])
    chat >> "x" * 1001 << (texts.TOO_LONG, QUESTION[step])
    assert (chat.session.current_step, chat.session.data) == (step, told)


def test_a_tapped_button_says_the_same_as_typing(chat: Chat) -> None:
    chat.at("confirmation") >> chat.inbound(tapped="YES", text="Yes, send it") << "registered"


def test_the_third_slip_in_a_row_points_to_help(chat: Chat) -> None:
    chat.at("pincode") >> "12" << "I see only 2" >> "13" << "I see only 2"
    assert texts.STILL_HERE not in chat.turn.replies[0].text
    chat >> "14" << (texts.STILL_HERE, "pincode") >> "400001" << "mobile" >> "12" << "too short"
    assert texts.STILL_HERE not in chat.turn.replies[0].text


def test_the_same_complaint_is_made_three_times_a_minute_at_most(chat: Chat) -> None:
    chat.at("sector") >> "xyz" << "1. Manufacturing" >> "xyz" << "1. Manufacturing" >> "xyz" << texts.STILL_HERE
    chat >> "xyz" << SILENCE >> "xyz" << SILENCE
    assert chat.turn.outcome == "muted"
    chat >> "help" << "1. Manufacturing" >> "3" << "pincode"


def test_a_minute_later_or_about_something_else_the_bot_complains_again(chat: Chat) -> None:
    chat.at("phone") >> "12" << "too short" >> "12" << "too short" >> "12" << "too short" >> "12" << SILENCE
    chat >> "2212345678" << "mobile"
    chat.later(minutes=1) >> "12" << "too short"


# coming back later


@pytest.mark.parametrize("step", UNFINISHED)
def test_an_unfinished_registration_expires_after_24_hours_and_says_so(chat: Chat, step: Step) -> None:
    chat.at(step).later(hours=24) >> "400001" << ("expired", "24 hours", "Nothing was registered", texts.NAME_QUESTION)
    assert (chat.session.current_step, chat.session.data) == ("name", Details())


def test_within_24_hours_the_conversation_goes_on(chat: Chat) -> None:
    chat.at("pincode").later(hours=23, minutes=59) >> "400001" << "mobile"
    chat.later(hours=23) >> "same" << "*YES*"


def test_the_notice_is_shown_again_to_who_never_went_on_after_it(chat: Chat) -> None:
    chat.at("name").later(days=2) >> "hi" << ("expired", texts.NOTICE)
    chat >> "Asha" << "sector"
    chat.later(days=2) >> "hi" << "expired"
    assert texts.NOTICE not in chat.turn.replies[0].text


@pytest.mark.parametrize("said", ["hi", "hello there", "what now?", "400001"])
def test_who_is_registered_is_greeted_as_such_however_long_ago(chat: Chat, said: str) -> None:
    (
        chat.at("completed").later(days=100)
        >> said
        << ("Asha Devi", "registered", "/login?phone=", "*RESEND*", "*RESTART*")
    )
    assert chat.session.current_step == "completed"


def test_resend_and_restart_work_long_after_the_registration(chat: Chat) -> None:
    chat.at("completed").later(days=100) >> "resend" << "OTP"
    assert chat.otp_requests[-1].details == chat.contact.details
    chat.later(days=30) >> "restart" << texts.NAME_QUESTION


def test_a_second_registration_that_expired_leaves_the_first_one(chat: Chat) -> None:
    chat.at("completed") >> "restart" << "name" >> "Ravi" << "sector"
    chat.later(days=2) >> "hi" << ("Asha Devi", "registered")


# what is remembered


def test_consent_is_the_first_answer_after_the_notice(chat: Chat) -> None:
    chat >> "hi" << texts.NOTICE >> "help" << "name" >> "12" << "letters"
    assert chat.contact.consent is None
    chat >> "Asha Devi" << "sector"
    first = chat.contact.consent
    assert first is not None
    assert (first.at, first.words, first.notice) == (chat.now, "Asha Devi", texts.NOTICE_VERSION)
    chat >> "3" << "pincode"
    assert chat.contact.consent == first


def test_the_words_of_consent_are_kept_in_short(chat: Chat) -> None:
    chat.at("name") >> "my name is " + "x" * 95 << "sector"
    assert chat.contact.consent
    assert len(chat.contact.consent.words) == 100


def test_the_contact_record_knows_the_last_message_and_the_last_step(chat: Chat) -> None:
    chat.at("pincode")
    assert (chat.contact.address, chat.contact.last_inbound, chat.contact.last_step) == (INDIAN, chat.now, "pincode")
    assert chat.contact.details == Details()
    chat.later(hours=30) >> "my data" << "keep"
    assert (chat.contact.last_inbound, chat.contact.last_step) == (chat.now, "pincode")


def test_an_opt_out_twilio_has_answered_is_not_answered_again(chat: Chat) -> None:
    chat.at("pincode") >> chat.inbound("STOP", opt_out="STOP") << SILENCE
    assert chat.contact.opted_out_at == chat.now
    assert chat.turn.outcome == "silent"
    chat >> chat.inbound("HELP", opt_out="HELP") << SILENCE
    assert chat.contact.opted_out_at
    chat >> chat.inbound("START", opt_out="START") << SILENCE >> "400001" << "mobile"
    assert chat.contact.opted_out_at is None


def test_an_opt_out_answered_by_twilio_may_be_the_first_message(chat: Chat) -> None:
    chat >> chat.inbound("STOP", opt_out="STOP") << SILENCE >> "hi" << texts.WELCOME
