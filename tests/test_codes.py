"""Every error code has one decision, that of its row; what we do not know is decided by its HTTP status."""

import re

import pytest

from pipeline.errors import Decision
from pipeline.twilio_api.codes import ADVICE, decide, decision_of

# https://www.twilio.com/docs/api/errors, as classed for this service.
TABLE: dict[Decision, str] = {
    "stop all": "20003, 20005, 30002, 63001, 63008, 63020, 63051, 90010",
    "our fault": "20008, 20404, 21212, 21408, 21602-21606, 21609, 21619, 21624, 21654-21656, 21658, 21703, 21704,"
    "30016, 63006, 63007, 63027-63031, 63040-63042",
    "unreachable": "21211, 21401, 21608, 21614, 63003, 63005, 63015, 63024",
    "opted out": "21610, 63014",
    "outside window": "63016",
    "retry": "20429, 21611, 30001, 63017, 63018, 14107, 20503, 30008, 30410, 63009, 63010, 63012, 63023",
    "in doubt": "20500",
    "drop": "21605, 21617, 21620, 21623, 30004, 30007, 30036, 63013, 63019, 63021, 63032, 63034, 63049",
}
# Named in a range of the table and by itself: what stands by itself holds.
TWICE = {21605: "drop"}


def codes(row: str) -> list[int]:
    found = []
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", row):
        found += range(int(first), int(last or first) + 1)
    return found


@pytest.mark.parametrize(("decision", "code"), [(name, code) for name, row in TABLE.items() for code in codes(row)])
def test_each_code_has_the_decision_of_its_row(decision: Decision, code: int) -> None:
    expected = TWICE.get(code, decision)
    assert decision_of(code) == decide(code, 400) == decide(code, 500) == expected


@pytest.mark.parametrize("code", [0, 1, 12345, 99999])
@pytest.mark.parametrize(
    ("status", "decision"),
    [
        *((status, "drop") for status in (400, 403, 404, 422)),
        (401, "stop all"),
        *((status, "retry") for status in (429, 503)),
        *((status, "in doubt") for status in (302, 500, 502, 504, 599)),
    ],
)
def test_an_unknown_code_is_decided_by_its_http_status(code: int, status: int, decision: Decision) -> None:
    assert decision_of(code) is None and decide(code, status) == decision


def test_there_is_advice_for_every_decision() -> None:
    assert ADVICE.keys() == TABLE.keys()
