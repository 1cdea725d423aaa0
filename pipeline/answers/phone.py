"""An Indian mobile number."""

import re

from pipeline.answers.typed import ascii_digits, folded, has_letter, visible, word_set
from pipeline.answers.wrong import Wrong

# Ten digits, the first 6 to 9: the National Numbering Plan's mobile series. Whether a series is handed out already is
# not asked: new ones appear faster than any list of them.
_MOBILE = re.compile(r"(?:(?:\+|00)91|0?91|)0?([6-9]\d{9})")
_OWN = re.compile(r"whatsapp:(\+91[6-9]\d{9})")
_RUN = re.compile(r"\+?\(?\+?\d[\d\s().\-\u2010-\u2015]*")
_ABROAD = re.compile(r"(?:\+|00)(?!91)")
# The country code before what is too long to be a number without it.
_COUNTRY = re.compile(r"^(?:0091|091|91)(?=\d{9})")
_SAME = word_set(
    "same,same number,same no,same as whatsapp,same whatsapp,same whatsapp number,this,this number,this no,this one,"
    "my whatsapp number,whatsapp number,ye,yeh,yahi,yehi,yahi number,yehi number,ye number,wahi,same hai,"
    "यही,यही नंबर,यह,सेम"
)
_LENGTH = 10


def own_number(address: str) -> str:
    """The Indian mobile a person writes from (`+91…`); empty if the address is foreign or shows no number."""
    match = _OWN.fullmatch(address)
    return match[1] if match else ""


def says_same(text: str) -> bool:
    """Whether the person wants to use the number they write from."""
    return folded(text) in _SAME


def read_phone(text: str) -> str | Wrong:
    """The one mobile number in `text` as `+91XXXXXXXXXX`, with or without +91, 91, 0, spaces, dashes, brackets."""
    line = ascii_digits(visible(text))
    runs = _RUN.findall(line) if has_letter(line) else [*_RUN.findall(line), line]
    written = [_compact(run) for run in runs]
    mobiles = {match[1] for number in written if (match := _MOBILE.fullmatch(number))}
    if len(mobiles) == 1:
        return f"+91{mobiles.pop()}"
    return Wrong("phone_several") if mobiles else _fault(max(written, key=len, default=""))


def _compact(run: str) -> str:
    """The digits of `run`, with a plus before them if there is one."""
    digits = re.sub(r"\D", "", run, flags=re.ASCII)
    return f"+{digits}" if run.lstrip("( ").startswith("+") else digits


def _fault(number: str) -> Wrong:
    """What is wrong with `number`, digits with at most a plus before them, which is no mobile number."""
    digits = number.removeprefix("+")
    if not digits:
        return Wrong("phone_missing")
    if _ABROAD.match(number):
        return Wrong("phone_foreign")
    if len(digits) == 2 * _LENGTH:
        return Wrong("phone_several")
    national = _COUNTRY.sub("", digits)
    local = national.removeprefix("0")
    if len(local) != _LENGTH:
        return Wrong("phone_short" if len(local) < _LENGTH else "phone_long", len(local))
    return Wrong("phone_landline") if national.startswith("0") else Wrong("phone_start", int(local[0]))
