"""What may be broadcast, as somebody wishes it: every problem is named with its field."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.broadcast import Content, filled_in, personal, units
from pipeline.draft import DraftError, draft

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TEMPLATE = "HX" + "0" * 32


def problems(fields: dict[str, Any], key: str = "") -> set[str]:
    with pytest.raises(DraftError) as refused:
        draft(fields, NOW, key)
    assert all(words for words in refused.value.problems.values())
    return set(refused.value.problems)


def test_a_text_is_enough() -> None:
    made = draft({"message": "Namaste {name}"}, NOW)
    assert (made.content, made.step, made.send_at) == (Content("Namaste {name}"), "", None)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, {"message"}),
        ({"message": " \n"}, {"message"}),
        ({"message": 5}, {"message"}),
        ({"message": ["a"]}, {"message"}),
        ({"message": "half \ud83d"}, {"message"}),
        ({"message": "x" * 1601}, {"message"}),
        ({"message": "😀" * 801}, {"message"}),
        ({"message": "Dear {nmae}"}, {"message"}),
        ({"message": "Dear {}"}, {"message"}),
        ({"message": "Dear {{name}} and {1}"}, {"message"}),
        ({"message": "a", "target_step": "nowhere"}, {"target_step"}),
        ({"message": "a", "content_sid": TEMPLATE}, {"message"}),
        ({"message": "a", "content_variables": {"1": "b"}}, {"content_variables"}),
        ({"message": "a", "name": "x" * 101}, {"name"}),
        ({"message": "a", "name": "\udfff"}, {"name"}),
        ({"message": "a", "msg": "b"}, {"msg"}),
        ({"content_sid": "HX12"}, {"content_sid"}),
        ({"content_sid": TEMPLATE, "content_variables": "{"}, {"content_variables"}),
        ({"content_sid": TEMPLATE, "content_variables": [1]}, {"content_variables"}),
        ({"content_sid": TEMPLATE, "content_variables": {"1": 5}}, {"content_variables"}),
        ({"content_sid": TEMPLATE, "content_variables": {"1": "{town}"}}, {"content_variables"}),
        ({"content_sid": TEMPLATE, "content_variables": {"1": "\ud83d"}}, {"content_variables"}),
        ({"message": "a", "send_at": "tomorrow"}, {"send_at"}),
        ({"message": "a", "send_at": "2026-11-23T10:00:00"}, {"send_at"}),
        ({"message": "a", "send_at": "2025-11-23T10:00:00+05:30"}, {"send_at"}),
        ({"message": "a", "send_at": "9999-12-31T23:59:59-12:00"}, {"send_at"}),
        ({"message": "", "target_step": "x", "send_at": "x"}, {"message", "target_step", "send_at"}),
    ],
)
def test_each_problem_is_named_with_its_field(fields: dict[str, Any], named: set[str]) -> None:
    assert problems(fields) == named


def test_a_key_of_any_length_is_not_taken() -> None:
    assert problems({"message": "a"}, key="k" * 201) == {"Idempotency-Key"}


@pytest.mark.parametrize(
    "written", ["2026-12-01T10:00:00+05:30", "2026-12-01T04:30:00Z", "2026-11-30 20:30-08:00", "20261201T100000+0530"]
)
def test_a_time_means_the_same_moment_with_whatever_offset(written: str) -> None:
    assert draft({"message": "a", "send_at": written}, NOW).send_at == datetime(2026, 12, 1, 4, 30, tzinfo=UTC)


def test_the_same_wall_clock_before_and_after_a_change_of_the_clocks_is_two_moments() -> None:
    summer = draft({"message": "a", "send_at": "2027-03-28T02:30:00+02:00"}, NOW).send_at
    winter = draft({"message": "a", "send_at": "2027-03-28T02:30:00+01:00"}, NOW).send_at
    assert summer and winter and winter - summer == timedelta(hours=1)


def test_a_time_that_passed_a_moment_ago_means_now() -> None:
    just_now = (NOW - timedelta(minutes=1)).isoformat()
    assert draft({"message": "a", "send_at": just_now}, NOW).send_at == NOW - timedelta(minutes=1)


def test_variables_may_be_an_object_or_its_json() -> None:
    as_object = draft({"content_sid": TEMPLATE, "content_variables": {"1": "{name}"}}, NOW)
    as_json = draft({"content_sid": TEMPLATE, "content_variables": '{"1": "{name}"}'}, NOW)
    assert as_object == as_json and as_object.content.is_template


def test_names_are_filled_in_and_a_word_stands_for_what_is_not_known() -> None:
    assert filled_in("{name}, {sector}; {name}", "Asha", "Retail") == "Asha, Retail; Asha"
    assert filled_in("{name}, {sector}", "", "") == "friend, business"
    assert filled_in("{name}", "{sector}", "Retail") == "{sector}"


def test_the_variables_of_a_template_are_filled_in_too() -> None:
    content = Content(content_sid=TEMPLATE, variables='{"1": "{name}", "2": "50 %"}')
    assert personal(content, 'Asha "A" \\', "").variables == '{"1": "Asha \\"A\\" \\\\", "2": "50 %"}'


def test_a_long_name_never_makes_the_message_too_long() -> None:
    text = "{name}" + "x" * 1590
    assert units(filled_in(text, "😀" * 50, "")) <= 1600


@given(st.dictionaries(st.sampled_from(["message", "content_variables", "send_at", "target_step", "name"]), st.text()))
def test_whatever_is_wished_it_is_a_draft_or_refused(fields: dict[str, Any]) -> None:
    try:
        made = draft(fields, NOW)
    except DraftError as refused:
        assert refused.problems
    else:
        assert made.content.text
