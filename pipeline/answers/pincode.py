"""An Indian postal code, and the place it stands for (data set: the package indian-pincode)."""

import re

import indian_pincode

from pipeline.answers.typed import ascii_digits, visible
from pipeline.answers.wrong import Wrong

_DIGITS = 6
_WHOLE = re.compile(r"(?<!\d)\d{6}(?!\d)")
_HALVES = re.compile(r"(?<!\d)(?<!\d[ -])(\d{3}) ?[ -] ?(\d{3})(?! ?-? ?\d)")
_SEPARATED = re.compile(r"[\d\s.,-]+")


def read_pincode(text: str) -> str | Wrong:
    """The six digits of the one pincode in `text`: `400001`, `400 001`, `400-001`, `my pincode is 400001`."""
    line = ascii_digits(visible(text))
    digits = re.sub(r"\D", "", line)
    found = _WHOLE.findall(line) or ["".join(halves) for halves in _HALVES.findall(line)]
    if not found and len(digits) == _DIGITS and _SEPARATED.fullmatch(line):
        found = [digits]
    if len(set(found)) == 1:
        return Wrong("pincode_zero") if found[0].startswith("0") else found[0]
    if found:
        return Wrong("pincode_several")
    if not digits:
        return Wrong("pincode_missing")
    return Wrong("pincode_short" if len(digits) < _DIGITS else "pincode_long", len(digits))


def is_known(pincode: str) -> bool:
    """Whether the data set has this pincode; new ones appear before the data set knows them."""
    return indian_pincode.validate(pincode)


def place_of(pincode: str) -> str:
    """`Mumbai, Maharashtra`; only the state where a pincode spans many districts; empty when unknown."""
    details = indian_pincode.get_details(pincode)
    if not details:
        return ""
    districts, state = details["districts"], details["state"] or ""
    shown = " / ".join(districts) if len(districts) <= 2 else ""
    parts = [shown, state] if shown != state else [state]
    return ", ".join(_titled(part) for part in parts if part)


def _titled(name: str) -> str:
    return name.removeprefix("THE ").title().replace(" And ", " and ")
