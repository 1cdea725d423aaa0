"""The person in charge: STOP and START, MY DATA, DELETE MY DATA."""

from collections.abc import Iterator

import pytest

from pipeline.session import STEPS, Contact, Person, Step
from pipeline.texts import en as texts
from tests.conversation_script import INDIAN, RECEIPT, Chat, new_chat


@pytest.fixture
def chat() -> Iterator[Chat]:
    yield from new_chat()


@pytest.mark.parametrize(
    "word", ["STOP", "stop!", "Unsubscribe", "OPT OUT", "opt-out", "band karo", "रोकें", "बंद करो", "ＳＴＯＰ"]
)
def test_stop_in_many_words_opts_out(chat: Chat, word: str) -> None:
    chat.at("sector") >> word << ("not send you messages", "*START*")
    assert chat.contact.opted_out_at == chat.now
    chat >> "3" << "pincode"


def test_stop_is_not_heard_inside_a_sentence(chat: Chat) -> None:
    chat.at("name") >> "Stop Shop Traders" << "Thank you, Stop Shop Traders."
    assert chat.contact.opted_out_at is None


def test_a_second_stop_is_told_that_it_is_done(chat: Chat) -> None:
    first = (chat.at("sector") >> "stop" << "not send").contact.opted_out_at
    chat >> "stop" << "already stopped"
    assert chat.contact.opted_out_at == first


def test_stop_as_the_first_word_is_confirmed_and_the_conversation_still_works(chat: Chat) -> None:
    chat >> "STOP" << "not send you messages"
    assert chat.contact.opted_out_at
    assert chat.person.session is None
    chat >> "hi" << (texts.WELCOME, texts.NAME_QUESTION) >> "Asha" << "sector"
    assert chat.contact.opted_out_at


@pytest.mark.parametrize("word", ["START", "join", "subscribe"])
def test_start_opts_in_again_and_greets(chat: Chat, word: str) -> None:
    chat.at("pincode") >> "stop" << "not send" >> word << (texts.OPTED_IN, texts.WELCOME_BACK, "pincode")
    assert chat.contact.opted_out_at is None


def test_start_after_a_first_stop_is_met_with_the_welcome(chat: Chat) -> None:
    chat >> "stop" << "not send" >> "start" << (texts.OPTED_IN, texts.WELCOME, texts.NAME_QUESTION)
    assert chat.contact.opted_out_at is None


def test_my_data_shows_what_is_kept_and_until_when(chat: Chat) -> None:
    (
        chat.at("phone")
        >> "my data"
        << (
            "Until 4 Jul 2026",
            "you agreed on 5 Jan 2026",
            "Until 6 Jan 2026, 3:30 PM",
            "Asha Devi",
            "400001",
            "*DELETE MY DATA*",
            "What is your mobile number?",
        )
    )


def test_my_data_of_somebody_registered_shows_the_registration(chat: Chat) -> None:
    (
        chat.at("completed")
        >> "my data"
        << ("you registered on 5 Jan 2026", "Asha Devi", "+919876543210", "Until 4 Jul 2026")
    )


def test_my_data_as_the_first_word_is_answered(chat: Chat) -> None:
    chat >> "my data" << ("Until 4 Jul 2026", "*HI*") >> "hi" << texts.WELCOME


@pytest.mark.parametrize("step", STEPS)
def test_delete_my_data_asks_erases_and_gives_a_receipt(chat: Chat, step: Step) -> None:
    chat.at(step) >> "DELETE MY DATA" << ("Delete everything", "*YES*", "*NO*") >> "yes" << ("deleted", RECEIPT)
    assert chat.person == Person(None, Contact(INDIAN))
    chat >> "hi" << (texts.WELCOME, texts.NOTICE)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("word", ["no", "maybe", "3", "400001", "👎"])
def test_anything_but_yes_erases_nothing(chat: Chat, step: Step, word: str) -> None:
    before = chat.at(step).session
    question = (chat >> "help" << "").turn.replies[0].text.rpartition("\n\n")[2]
    chat >> "delete my data" << "Delete everything" >> word << (texts.NOTHING_ERASED, question)
    assert (chat.session.current_step, chat.session.data) == (step, before.data)
    assert chat.session.asking == ""


def test_a_photo_erases_nothing(chat: Chat) -> None:
    chat.at("phone") >> "delete my data" << "*YES*" >> chat.inbound("yes", media=1) << texts.NOTHING_ERASED


def test_a_command_instead_of_yes_is_heard(chat: Chat) -> None:
    chat.at("phone") >> "delete my data" << "*YES*" >> "support" << (texts.NOTHING_ERASED, "Our team", "mobile")
    chat >> "delete my data" << "*YES*" >> "delete my data" << "Delete everything" >> "yes" << RECEIPT


def test_delete_my_data_works_as_the_first_word(chat: Chat) -> None:
    chat >> "delete my data" << "Delete everything" >> "no" << (texts.NOTHING_ERASED, texts.NOTICE, texts.NAME_QUESTION)
    chat >> "delete my data" << "Delete everything" >> "yes" << RECEIPT


def test_delete_my_data_works_long_after_the_registration(chat: Chat) -> None:
    chat.at("completed").later(days=90) >> "delete my data" << "Delete everything" >> "yes" << RECEIPT
    assert chat.contact.registered_at is None
