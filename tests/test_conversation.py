"""A registration from the first word to the OTP, as a person and the bot hold it."""

from collections.abc import Iterator

import pytest

from pipeline.effects import (
    AlreadyRegistered,
    AuthUnavailable,
    OtpRefused,
    OtpSent,
    OtpUnderWay,
)
from pipeline.session import SECTORS, Details
from pipeline.texts import en as texts
from tests.conversation_script import DESK, SILENCE, Chat, new_chat

LINK = "https://msmebazaar.example/login?phone=%2B919876543210&source=whatsapp"
DETAILS = Details("Asha Devi", "Technology", "400001", "+919876543210")


@pytest.fixture
def chat() -> Iterator[Chat]:
    yield from new_chat()


@pytest.fixture
def stranger() -> Iterator[Chat]:
    """Somebody whose address shows no number."""
    yield from new_chat("whatsapp:IN.13491208655302741918")


def test_a_shop_is_registered(chat: Chat) -> None:
    chat >> "Hi" << (texts.WELCOME, texts.NOTICE, "name")
    chat >> "Asha Devi" << ("Asha Devi", "1. Manufacturing", "12. Other")
    chat >> "3" << ("Technology", "pincode")
    chat >> "400001" << ("400001 — Mumbai, Maharashtra", "mobile")
    chat >> "9876543210" << ("Asha Devi", "Technology", "400001", "+919876543210", "*YES*", "*NO*")
    chat >> "YES" << ("registered", "OTP", LINK, "*RESEND*", "*RESTART*")
    assert chat.session.current_step == "completed"
    assert chat.contact.registered_at == chat.now
    assert chat.contact.details == DETAILS
    assert chat.turn.outcome == "otp"


def test_the_otp_is_asked_for_once_with_the_sid_of_the_yes_as_its_key(chat: Chat) -> None:
    yes = chat.at("confirmation").inbound("Yes")
    chat >> yes << "OTP"
    assert [(request.details, request.key) for request in chat.otp_requests] == [(DETAILS, yes.sid)]


# name


@pytest.mark.parametrize(
    "typed", ["Asha Devi", "आशा देवी", "李明", "Al", "x" * 100, "Helpline Stores", "O'Brien & Sons"]
)
def test_a_name_of_any_script_is_taken(chat: Chat, typed: str) -> None:
    chat.at("name") >> typed << "business sector"
    assert chat.session.data.name == typed


@pytest.mark.parametrize("typed", ["A", "x" * 101, "12345", "9876543210", "😀😀", "www.shop.com", "ok", "yes", "?!"])
def test_what_is_no_name_is_answered_with_what_a_name_needs(chat: Chat, typed: str) -> None:
    chat.at("name") >> typed << texts.NAME_QUESTION
    assert chat.session.data.name == ""


def test_a_name_loses_hidden_characters_and_folds_its_spaces(chat: Chat) -> None:
    chat.at("name") >> "  Asha\u202e \n\t De\u200bvi\x00 " << "Thank you, Asha Devi."
    assert chat.session.data.name == "Asha Devi"


def test_the_introduction_is_not_part_of_the_name(chat: Chat) -> None:
    chat.at("name") >> "My name is Asha Devi." << "Thank you, Asha Devi."


def test_a_name_cannot_format_our_message(chat: Chat) -> None:
    chat.at("name") >> "*Asha* _D_ ~x~ `y`" << "Thank you, ∗Asha∗ ˍDˍ ∼x∼ ˋyˋ."
    assert chat.session.data.name == "*Asha* _D_ ~x~ `y`"


# sector


@pytest.mark.parametrize(("number", "sector"), list(enumerate(SECTORS, start=1)))
def test_each_sector_is_taken_by_number_and_by_name(number: int, sector: str) -> None:
    for typed in (str(number), f"{number}.", f"no {number}", f"#{number}", sector.upper()):
        chat = Chat().at("sector") >> typed << (sector, "pincode")
        assert chat.session.data.sector == sector


def test_a_near_miss_is_offered_and_taken_by_yes(chat: Chat) -> None:
    chat.at("sector") >> "textil" << "Did you mean *Textile*?" >> "YES" << ("Textile", "pincode")
    assert chat.session.data.sector == "Textile"


def test_a_near_miss_refused_leads_to_the_menu(chat: Chat) -> None:
    chat.at("sector") >> "agricultre" << "Did you mean *Agriculture*?" >> "no" << "1. Manufacturing"
    assert texts.SECTOR_UNCLEAR not in chat.turn.replies[0].text
    chat >> "yes" << "1. Manufacturing"
    assert chat.session.data.sector == ""


def test_another_answer_to_a_near_miss_is_taken_as_such(chat: Chat) -> None:
    chat.at("sector") >> "helthcare" << "Did you mean *Healthcare*?" >> "9" << ("Food & Beverage", "pincode")


def test_a_greeting_asks_the_offered_sector_again(chat: Chat) -> None:
    (
        chat.at("sector")
        >> "textil"
        << "Did you mean *Textile*?"
        >> "hi"
        << (texts.WELCOME_BACK, "Did you mean *Textile*?")
    )


def test_words_for_two_sectors_make_the_bot_ask_which(chat: Chat) -> None:
    chat.at("sector") >> "kapde ki dukan" << ("*7. Retail* or *10. Textile*", "1. Manufacturing") >> "10" << "pincode"


@pytest.mark.parametrize("typed", ["mother", "13", "0", "bitter", "xyz", "yes", "400001"])
def test_what_names_no_sector_gets_the_menu_again(chat: Chat, typed: str) -> None:
    chat.at("sector") >> typed << ("1. Manufacturing", "12. Other")
    assert chat.session.current_step == "sector"


# pincode


@pytest.mark.parametrize("typed", ["400001", "400 001", "400-001", "४००००१", "௪௦௦௦௦௧", "my pincode is 400001"])
def test_a_pincode_is_taken_and_its_place_said(chat: Chat, typed: str) -> None:
    chat.at("pincode") >> typed << ("400001 — Mumbai, Maharashtra", "mobile")
    assert chat.session.data.pincode == "400001"


@pytest.mark.parametrize(
    ("typed", "fault"),
    [("40001", "I see only 5"), ("4000011", "I see 7"), ("040001", "not start with 0"), ("Mumbai", "not see a number")],
)
def test_a_wrong_pincode_is_explained_with_an_example(chat: Chat, typed: str, fault: str) -> None:
    chat.at("pincode") >> typed << (fault, "Example: 400001")


@pytest.mark.parametrize("again", ["999999", "999 999", "YES"])
def test_an_unknown_pincode_is_taken_when_it_is_confirmed(chat: Chat, again: str) -> None:
    chat.at("pincode") >> "999999" << ("do not know", "999999", "check") >> again << ("999999", "mobile")
    assert chat.session.data.pincode == "999999"


def test_an_unknown_pincode_can_be_corrected(chat: Chat) -> None:
    chat.at("pincode") >> "999999" << "do not know" >> "999998" << "999998" >> "400001" << "Mumbai, Maharashtra"


def test_an_unknown_pincode_can_be_taken_back(chat: Chat) -> None:
    chat.at("pincode") >> "999999" << "do not know" >> "no" << texts.PINCODE_QUESTION >> "yes" << texts.PINCODE_QUESTION


# phone


@pytest.mark.parametrize(
    "typed",
    ["9876543210", "+919876543210", "91 98765 43210", "09876543210", "(+91) 98765-43210", "९८७६५४३२१०"],
)
def test_a_mobile_number_is_taken_however_it_is_written(chat: Chat, typed: str) -> None:
    chat.at("phone") >> typed << ("Mobile: +919876543210", "*YES*", "*NO*")
    assert chat.session.data.phone == "+919876543210"


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("987654321", "too short: I see 9 digits"),
        ("98765432101", "too long: I see 11 digits"),
        ("2876543210", "starts with 2"),
        ("022 2345 6789", "landline"),
        ("+1 415 555 2671", "not Indian"),
        ("9876543210 9123456789", "more than one number"),
        ("my shop phone", "Example: 98765 43210"),
    ],
)
def test_what_is_wrong_with_a_number_is_said(chat: Chat, typed: str, fault: str) -> None:
    chat.at("phone") >> typed << (fault, "What is your mobile number?")


def test_same_takes_the_number_the_person_writes_from(chat: Chat) -> None:
    chat.at("pincode") >> "400001" << ("*SAME*", "••••••3210") >> "same" << "Mobile: +919876543210"


def test_same_is_not_offered_and_not_taken_without_an_indian_number(stranger: Chat) -> None:
    stranger.at("pincode") >> "400001" << "OTP will come to this number."
    assert "SAME" not in stranger.turn.replies[0].text
    stranger >> "SAME" << ("type your mobile number", "What is your mobile number?")


# confirmation


@pytest.mark.parametrize("yes", ["y", "yes", "Ok", "CONFIRM", "haan", "ha", "ji", "हाँ", "👍", "👍🏽", "Yes sir!"])
def test_yes_in_many_words_asks_for_the_otp(chat: Chat, yes: str) -> None:
    chat.at("confirmation") >> yes << "OTP"
    assert chat.session.current_step == "completed"


@pytest.mark.parametrize("no", ["n", "NO", "nahi", "नहीं", "edit", "Change"])
def test_no_asks_what_should_change(chat: Chat, no: str) -> None:
    chat.at("confirmation") >> no << ("1. Name", "2. Sector", "3. Pincode", "4. Mobile", "5. Start over")


@pytest.mark.parametrize(
    ("choice", "question", "answer", "changed"),
    [
        ("1", "full name", "Ravi", Details("Ravi", "Technology", "400001", "+919876543210")),
        ("2", "sector", "retail", Details("Asha Devi", "Retail", "400001", "+919876543210")),
        ("3.", "pincode", "110001", Details("Asha Devi", "Technology", "110001", "+919876543210")),
        ("mobile", "mobile", "9123456789", Details("Asha Devi", "Technology", "400001", "+919123456789")),
    ],
)
def test_one_answer_is_changed_and_all_shown_again(
    chat: Chat, choice: str, question: str, answer: str, changed: Details
) -> None:
    chat.at("confirmation") >> "no" << "change" >> choice << question >> answer << ("check your details", "*YES*")
    assert chat.session.data == changed
    chat >> "yes" << "OTP"
    assert chat.otp_requests[0].details == changed


def test_start_over_begins_at_the_name(chat: Chat) -> None:
    chat.at("confirmation") >> "no" << "5. Start over" >> "5" << texts.NAME_QUESTION
    assert chat.session.data == Details()


def test_an_unclear_choice_gets_the_change_menu_again(chat: Chat) -> None:
    chat.at("confirmation") >> "no" << "5. Start over" >> "yes" << ("1 to 5", "5. Start over") >> "9" << "1 to 5"


def test_a_field_named_at_the_confirmation_is_asked_at_once(chat: Chat) -> None:
    chat.at("confirmation") >> "pincode is wrong" << texts.PINCODE_QUESTION >> "400002" << ("400002", "*YES*")


def test_anything_else_at_the_confirmation_is_asked_for_yes_or_no(chat: Chat) -> None:
    chat.at("confirmation") >> "maybe" << (texts.YES_OR_NO, "Asha Devi", "*YES*", "*NO*")


# the Auth API's answers


def test_an_otp_under_way_completes_the_registration(chat: Chat) -> None:
    chat.at("confirmation").auth_answers(OtpUnderWay(45)) >> "yes" << ("a moment ago", "*RESEND* works in 45 s", LINK)
    assert chat.session.current_step == "completed"
    assert chat.contact.registered_at


def test_a_registered_number_is_told_so_with_the_login_link(chat: Chat) -> None:
    chat.at("confirmation").auth_answers(AlreadyRegistered()) >> "yes" << ("already registered", LINK)
    assert chat.session.current_step == "completed"
    assert chat.contact.details == DETAILS


def test_a_refusal_keeps_all_details(chat: Chat) -> None:
    chat.at("confirmation").auth_answers(OtpRefused()) >> "yes" << ("*EDIT*", "*YES*", DESK.support_email)
    assert chat.session.current_step == "confirmation"
    assert chat.session.data == DETAILS
    assert chat.contact.registered_at is None
    chat >> "edit" << "4. Mobile" >> "4" << "mobile" >> "9123456789" << "+919123456789" >> "yes" << "registered"
    first, second = chat.otp_requests
    assert first.key != second.key


# completed


def test_completed_tells_how_to_log_in(chat: Chat) -> None:
    chat.at("completed") >> "thanks" << ("registered", LINK, "*RESEND*", "*RESTART*")


def test_resend_asks_for_a_new_otp(chat: Chat) -> None:
    registered_at = chat.at("completed").contact.registered_at
    resend = chat.inbound("Resend")
    chat.later(hours=1) >> resend << ("new OTP", LINK)
    assert chat.otp_requests[-1].key == resend.sid
    assert chat.contact.registered_at == registered_at


@pytest.mark.parametrize("answer", [OtpSent(), OtpUnderWay(9), AlreadyRegistered(), OtpRefused(), AuthUnavailable()])
def test_whatever_becomes_of_a_resend_the_registration_stays_completed(chat: Chat, answer: OtpSent) -> None:
    chat.at("completed").auth_answers(answer) >> "resend" << "*RESEND*"
    assert chat.session.current_step == "completed"


def test_restart_begins_again_and_keeps_the_first_registration_until_the_next(chat: Chat) -> None:
    first = chat.at("completed").contact
    chat >> "restart" << texts.NAME_QUESTION >> "Ravi" << "sector"
    assert (chat.contact.registered_at, chat.contact.details) == (first.registered_at, first.details)
    chat >> "7" << "pincode" >> "400001" << "mobile" >> "same" << "Ravi" >> "yes" << "registered"
    assert chat.contact.details == Details("Ravi", "Retail", "400001", "+919876543210")
    assert chat.contact.registered_at == chat.now


def test_a_script_fails_when_the_bot_says_what_nobody_expected() -> None:
    chat = Chat() >> "hi"
    with pytest.raises(pytest.fail.Exception, match=r"nobody expected(.|\n)*expected +\| happened(.|\n)*Welcome"):
        chat.finish()
    with pytest.raises(pytest.fail.Exception, match="did not say 'goodbye'"):
        Chat() >> "hi" << "goodbye"
    with pytest.raises(pytest.fail.Exception, match="did not say '\\(silence\\)'"):
        Chat() >> "hi" << SILENCE
