"""What the bot's sentences look like on a phone."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.answers import Why
from pipeline.session import SECTORS, Details
from pipeline.texts import en as texts
from pipeline.texts.shown import LIMIT, clipped, day, echo, masked, minute, reply
from tests.conversation_script import DESK


def test_every_fault_has_its_sentence() -> None:
    assert set(texts.WRONG) == set(get_args(Why))
    for why in texts.WRONG:
        assert "{" not in texts.wrong(why, 5)


def test_the_menu_has_the_twelve_sectors_in_their_order() -> None:
    lines = re.findall(r"^(\d+)\. (.+)$", texts.SECTOR_QUESTION, re.MULTILINE)
    assert [(int(number), sector) for number, sector in lines] == list(enumerate(SECTORS, start=1))


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        ("*Asha*", "∗Asha∗"),
        ("_x_ ~y~ ```z```", "ˍxˍ ∼y∼ ˋˋˋzˋˋˋ"),
        ("> quoted", "\u2060> quoted"),
        ("- listed", "\u2060- listed"),
        ("Asha\n* Devi", "Asha ∗ Devi"),
        ("Asha Devi", "Asha Devi"),
    ],
)
def test_what_is_echoed_formats_nothing(typed: str, seen: str) -> None:
    assert echo(typed) == seen


@given(st.text(max_size=100))
def test_no_echo_can_format_a_message(typed: str) -> None:
    seen = echo(typed)
    assert not set(seen) & set("*_~`\n")
    assert not seen.startswith((">", "-", "#"))
    assert texts.heard_name(typed).count("\n") == 0


@given(st.text(st.characters()), st.integers(1, 50))
def test_a_text_is_clipped_to_utf_16_units(text: str, units: int) -> None:
    shown = clipped(text, units)
    assert len(shown.encode("utf-16-le", "surrogatepass")) <= 2 * units
    assert shown == text or shown.endswith("…")


def test_a_reply_never_exceeds_the_limit() -> None:
    assert len(reply(["🏪" * 5000]).text.encode("utf-16-le")) // 2 <= LIMIT
    assert reply(["one", "", "two"]).text == "one\n\ntwo"


def test_only_the_end_of_a_number_is_shown_unasked() -> None:
    assert masked("+919876543210") == "••••••3210"
    assert "9876543210" not in texts.phone_question("+919876543210")


def test_times_are_those_of_india() -> None:
    moment = datetime(2026, 1, 5, 20, 5, tzinfo=UTC)
    assert (day(moment), minute(moment)) == ("6 Jan 2026", "6 Jan 2026, 1:35 AM")


def test_the_summary_shows_what_was_told_and_nothing_else() -> None:
    assert texts.summary(Details("Asha", "", "400001"), "Mumbai") == "Name: Asha\nPincode: 400001 — Mumbai"
    assert texts.so_far(Details(), "") == ""


def test_an_unset_way_to_reach_the_team_is_left_out() -> None:
    assert "📞" not in texts.team(replace(DESK, support_phone=""))


def test_long_settings_leave_room_for_the_question() -> None:
    wordy = replace(DESK, support_email="e" * 3000, support_phone="🏪" * 3000, support_hours="h" * 3000)
    question = texts.confirmation_question(Details("🏪" * 100, "Food & Beverage", "400001", "+919876543210"), "Mumbai")
    assert reply([texts.support(wordy), question]).text.endswith(question)


def test_bold_is_always_closed() -> None:
    """An odd star in one of our own sentences would show as a star on the phone."""
    sentences = [value for name, value in vars(texts).items() if name.isupper() and isinstance(value, str)]
    details = Details("Asha", "Retail", "400001", "+919876543210")
    sentences += [
        texts.help_menu(),
        texts.support(DESK),
        texts.expired(24),
        texts.otp_refused(DESK),
        texts.otp_given_up(DESK, "YES"),
        texts.otp_owed("YES"),
        texts.which_sector(("Retail", "Textile")),
        texts.did_you_mean("Textile"),
        texts.confirmation_question(details, ""),
        texts.owed_question(details, ""),
        texts.phone_question("+919876543210"),
        texts.registered("Asha", "https://x"),
        texts.stopped(already=False, otp_cancelled=True),
        texts.erased("1"),
    ]
    assert [sentence for sentence in sentences if any(line.count("*") % 2 for line in sentence.split("\n"))] == []
