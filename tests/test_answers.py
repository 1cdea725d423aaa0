"""What people type, and how it is understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import answers
from pipeline.answers import Wrong
from pipeline.answers.typed import ascii_digits, choice, folded, visible
from pipeline.answers.words import COMMAND_WORDS, EDIT, NEVER_A_NAME, NO, RESEND, YES
from pipeline.session import SECTORS


def fault(read: str | Wrong) -> str:
    assert isinstance(read, Wrong), f"taken as {read!r}"
    return read.why


# how people type


@pytest.mark.parametrize(
    ("typed", "compared"),
    [
        ("  HELP. ", "help"),
        ("Hiiii 👋", "hi"),
        ("ＳＴＯＰ", "stop"),
        ("opt-out", "opt out"),
        ("good   morning!!", "good morning"),
        ("👍🏽👍🏽", "👍"),
        ("h\u200bi", "hi"),
        ("", ""),
        ("400", "400"),
    ],
)
def test_a_message_is_compared_without_its_dress(typed: str, compared: str) -> None:
    assert folded(typed) == compared


@pytest.mark.parametrize(
    "three",
    ["3", "3.", "3)", "(3)", "#3", "no 3", "No. 3", "number 3", "option 3", "3rd", "03", "3️⃣", "३", "௩", "３", "③"],
)
def test_a_line_of_a_menu_is_chosen_by_its_number(three: str) -> None:
    assert choice(three) == 3


@pytest.mark.parametrize("typed", ["", "three shops", "3 shops", "333", "3.5", "-"])
def test_what_is_no_number_of_a_menu_chooses_nothing(typed: str) -> None:
    assert choice(typed) == 0


@pytest.mark.parametrize("zero", "०০੦૦୦௦౦೦൦٠۰０᱐꯰")
def test_digits_of_every_script_are_digits(zero: str) -> None:
    written = "".join(chr(ord(zero) + digit) for digit in (4, 0, 0, 0, 0, 1))
    assert ascii_digits(written) == "400001"
    assert answers.read_pincode(written) == "400001"


def test_joiners_stay_where_they_shape_indian_letters_and_nowhere_else() -> None:
    assert visible("क्\u200dष श्री\u200cमान") == "क्\u200dष श्री\u200cमान"
    assert visible("A\u200ds\u200cha\u200d") == "Asha"


# words


@pytest.mark.parametrize(("command", "listed"), COMMAND_WORDS.items())
def test_each_listed_word_is_heard(command: str, listed: frozenset[str]) -> None:
    assert {answers.command_in(word.upper()) for word in listed} == {command}
    assert not any(answers.says_yes(word) or answers.says_no(word) for word in listed)


def test_no_word_means_two_things() -> None:
    meanings = [*COMMAND_WORDS.values(), YES, NO, EDIT, RESEND]
    assert sum(map(len, meanings)) == len(frozenset().union(*meanings))


@pytest.mark.parametrize(
    "typed", ["Helpline Stores", "stop shop", "history", "hi asha", "not help", "support services", ""]
)
def test_a_command_is_the_whole_message_or_none(typed: str) -> None:
    assert answers.command_in(typed) is None


@pytest.mark.parametrize("typed", ["please help", "Help sir", "HELP pls"])
def test_courtesy_does_not_hide_a_command(typed: str) -> None:
    assert answers.command_in(typed) == "help"


@pytest.mark.parametrize(
    "yes",
    ["y", "Yes.", "ok", "OK sir", "Confirm", "haan", "ji haan", "हाँ", "हां", "जी", "👍", "✅", "ஆம்"],
)
def test_yes_in_many_words(yes: str) -> None:
    assert answers.says_yes(yes)
    assert not answers.says_no(yes)


@pytest.mark.parametrize("no", ["n", "No!", "nahi", "NAHIN", "नहीं", "na", "👎", "galat hai"])
def test_no_in_many_words(no: str) -> None:
    assert answers.says_no(no)
    assert not answers.says_yes(no)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ("1", "name"),
        ("2.", "sector"),
        ("३", "pincode"),
        ("4", "phone"),
        ("5", "restart"),
        ("6", ""),
        ("change my name", "name"),
        ("mobile number", "phone"),
        ("name and pincode", ""),
        ("all", ""),
    ],
)
def test_what_should_change_is_chosen_by_number_or_name(typed: str, field: str) -> None:
    assert answers.field_to_change(typed) == field


# name


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  Asha   Devi ", "Asha Devi"),
        ("Asha\nDevi", "Asha Devi"),
        ("As\u202eha\u200b\x07", "Asha"),
        ("As\ud83dha", "Asha"),
        ("आशा देवी", "आशा देवी"),
        ("M/s Sharma & Sons 2", "M/s Sharma & Sons 2"),
        ("My name is Asha Devi.", "Asha Devi"),
        ("Hi, I am Asha", "Asha"),
        ("mera naam Asha hai", "Asha"),
        ("Name: Asha", "Asha"),
        ("Imran", "Imran"),
        ("Stop Shop", "Stop Shop"),
        ("é" * 100, "é" * 100),
    ],
)
def test_a_name_is_kept_as_written_in_one_line(typed: str, name: str) -> None:
    assert answers.read_name(typed) == name


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("A", "name_short"),
        ("x" * 101, "name_long"),
        ("१२३४", "name_letters"),
        ("+91 98765-43210", "name_letters"),
        ("🙂🙂", "name_letters"),
        ("\u3164\u3164", "name_letters"),
        ("", "name_letters"),
        ("https://a.b/c", "name_link"),
        ("asha@shop.in", "name_link"),
        ("shop.com", "name_link"),
        ("ok", "name_word"),
        ("my name is", "name_word"),
        ("I am ok", "name_word"),
        ("i want register my shop", "name_word"),
        ("How to register?", "name_word"),
        ("Hello!!", "name_word"),
    ],
)
def test_what_is_no_name_has_a_fault(typed: str, why: str) -> None:
    assert fault(answers.read_name(typed)) == why


@pytest.mark.parametrize("word", sorted(NEVER_A_NAME))
def test_a_word_of_the_conversation_is_never_a_name(word: str) -> None:
    assert isinstance(answers.read_name(word), Wrong)


# sector


@pytest.mark.parametrize(
    ("typed", "sector"),
    [
        ("food", "Food & Beverage"),
        ("Food and Beverage", "Food & Beverage"),
        ("FOOD&BEVERAGE", "Food & Beverage"),
        ("9. food & beverage", "Food & Beverage"),
        ("auto", "Automotive"),
        ("agri", "Agriculture"),
        ("manu", "Manufacturing"),
        ("farming", "Agriculture"),
        ("kheti", "Agriculture"),
        ("किसान", "Agriculture"),
        ("IT", "Technology"),
        ("I.T.", "Technology"),
        ("IT company", "Technology"),
        ("software", "Technology"),
        ("clothes", "Textile"),
        ("kapda", "Textile"),
        ("garments", "Textile"),
        ("hospital", "Healthcare"),
        ("Doctor", "Healthcare"),
        ("school", "Education"),
        ("it is a shop", "Retail"),
        ("मेरी दुकान है", "Retail"),
        ("kirana store", "Retail"),
        ("hotel", "Food & Beverage"),
        ("restaurants", "Food & Beverage"),
        ("garage", "Automotive"),
        ("builder", "Construction"),
        ("factory", "Manufacturing"),
        ("beauty parlour", "Services"),
        ("others", "Other"),
        ("kuch aur", "Other"),
        ("12 other", "Other"),
    ],
)
def test_a_sector_is_understood_however_it_is_named(typed: str, sector: str) -> None:
    assert answers.sectors_meant(typed) == (sector,)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("te", ("Technology", "Textile")),
        ("kapde ki dukan", ("Retail", "Textile")),
        ("medical store", ("Healthcare", "Retail")),
        ("3 textile", ("Technology", "Textile")),
        ("3, 7", ("Technology", "Retail")),
        ("food factory", ("Manufacturing", "Food & Beverage")),
    ],
)
def test_words_for_several_sectors_mean_all_of_them(typed: str, meant: tuple[str, ...]) -> None:
    assert answers.sectors_meant(typed) == meant


@pytest.mark.parametrize(
    "typed", ["mother", "brother", "another", "kitten", "bitter", "item", "13", "0", "a", "", "no", "💡", "carpet"]
)
def test_a_sector_is_never_found_by_accident(typed: str) -> None:
    assert answers.sectors_meant(typed) == ()
    assert answers.sector_near(typed) == ""


@pytest.mark.parametrize(
    ("typed", "sector"),
    [
        ("textil", "Textile"),
        ("textlie", "Textile"),
        ("agricultre", "Agriculture"),
        ("helthcare", "Healthcare"),
        ("technolgy", "Technology"),
        ("resturant", "Food & Beverage"),
        ("constructon", "Construction"),
        ("my busines is manufacturng", "Manufacturing"),
    ],
)
def test_a_near_miss_is_seen_but_not_taken(typed: str, sector: str) -> None:
    assert answers.sectors_meant(typed) == ()
    assert answers.sector_near(typed) == sector


@given(st.text(st.characters(), max_size=1000))
def test_any_text_names_only_the_twelve_sectors(text: str) -> None:
    assert set(answers.sectors_meant(text)) <= set(SECTORS)
    assert answers.sector_near(text) in ("", *SECTORS)


# pincode


@pytest.mark.parametrize(
    "typed",
    [
        "400001",
        "400 001",
        "400-001",
        "400,001",
        "4 0 0 0 0 1",
        "Pin 400001",
        "shop 12, 400001",
        "400001 400001",
        "400001.",
    ],
)
def test_a_pincode_is_found(typed: str) -> None:
    assert answers.read_pincode(typed) == "400001"


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ("", Wrong("pincode_missing")),
        ("Mumbai", Wrong("pincode_missing")),
        ("40001", Wrong("pincode_short", 5)),
        ("4000011", Wrong("pincode_long", 7)),
        ("98765 43210", Wrong("pincode_long", 10)),
        ("987-654 3210", Wrong("pincode_long", 10)),
        ("040001", Wrong("pincode_zero")),
        ("400001 or 400002", Wrong("pincode_several")),
    ],
)
def test_what_is_no_pincode_has_a_fault(typed: str, wrong: Wrong) -> None:
    assert answers.read_pincode(typed) == wrong


@pytest.mark.parametrize(
    ("pincode", "place"),
    [
        ("400001", "Mumbai, Maharashtra"),
        ("160017", "Chandigarh"),
        ("744101", "South Andamans, Andaman and Nicobar Islands"),
        ("533464", "Andhra Pradesh"),
        ("999999", ""),
    ],
)
def test_a_place_is_named_as_people_write_it(pincode: str, place: str) -> None:
    assert answers.place_of(pincode) == place
    assert answers.is_known(pincode) == bool(place)


# phone


@pytest.mark.parametrize(
    "typed",
    [
        "9876543210",
        "+91 98765 43210",
        "91-98765-43210",
        "09876543210",
        "0 98765 43210",
        "(+91) 98765-43210",
        "+91 (0) 98765 43210",
        "0091 9876543210",
        "98765.43210",
        "98765–43210",
        "९८७६५४३२१०",
        "tel:+919876543210",
        "my number is 9876543210.",
        "9876543210 / 9876543210",
    ],
)
def test_a_mobile_number_is_found(typed: str) -> None:
    assert answers.read_phone(typed) == "+919876543210"


@pytest.mark.parametrize("start", "6789")
def test_all_mobile_series_are_taken_also_those_not_handed_out_yet(start: str) -> None:
    assert answers.read_phone(f"{start}000000000") == f"+91{start}000000000"


def test_ten_digits_that_begin_like_the_country_code_are_a_number() -> None:
    assert answers.read_phone("9187654321") == "+919187654321"


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ("", Wrong("phone_missing")),
        ("call me", Wrong("phone_missing")),
        ("987654321", Wrong("phone_short", 9)),
        ("+91 987654321", Wrong("phone_short", 9)),
        ("98765432101", Wrong("phone_long", 11)),
        ("+91 98765432101", Wrong("phone_long", 11)),
        ("2876543210", Wrong("phone_start", 2)),
        ("+91 1234567890", Wrong("phone_start", 1)),
        ("022 12345678", Wrong("phone_landline")),
        ("02212345678", Wrong("phone_landline")),
        ("+1 415 555 2671", Wrong("phone_foreign")),
        ("0044 7911 123456", Wrong("phone_foreign")),
        ("+971 50 123 4567", Wrong("phone_foreign")),
        ("9876543210 9123456789", Wrong("phone_several")),
        ("9876543210, 9123456789", Wrong("phone_several")),
    ],
)
def test_what_is_no_mobile_number_has_a_fault(typed: str, wrong: Wrong) -> None:
    assert answers.read_phone(typed) == wrong


@given(st.from_regex(r"\+?[0-9 ]{1,16}", fullmatch=True))
def test_a_number_is_never_refused_for_starting_like_a_mobile(typed: str) -> None:
    read = answers.read_phone(typed)
    assert not isinstance(read, Wrong) or read.why != "phone_start" or read.seen < 6


@pytest.mark.parametrize("typed", ["98765/43210", "98765, 43210", "+91+919876543210", "91+9876543210"])
def test_odd_signs_between_the_digits_do_not_matter(typed: str) -> None:
    assert answers.read_phone(typed) == "+919876543210"


def test_digits_of_other_things_are_not_put_together() -> None:
    assert answers.read_phone("shop 98 phone 76543210") == Wrong("phone_short", 8)


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("whatsapp:+919876543210", "+919876543210"),
        ("whatsapp:+912212345678", ""),
        ("whatsapp:+14155552671", ""),
        ("whatsapp:IN.13491208655302741918", ""),
        ("whatsapp:+9198765432101", ""),
    ],
)
def test_only_an_indian_mobile_is_a_persons_own_number(address: str, own: str) -> None:
    assert answers.own_number(address) == own


@given(st.text(st.characters(), max_size=200))
def test_any_text_is_read_or_has_a_fault(text: str) -> None:
    for read in (answers.read_name, answers.read_pincode, answers.read_phone):
        assert isinstance(read(text), str | Wrong)
