"""How things look on a phone: WhatsApp's formatting, its limits, numbers and dates as people read them."""

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

from pipeline.messages import Reply

LIMIT = 1600  # UTF-16 units in one message (Twilio error 21617 beyond)
_CONTACT_LIMIT = 200

_IST = timezone(timedelta(hours=5, minutes=30))
# WhatsApp reads these signs as bold, italic, struck out, code; their look-alikes are only signs.
_LOOK_ALIKES = str.maketrans("*_~`", "∗ˍ∼ˋ")
_LIST_MARKS = (">", "-", "#", "+", "•")
_WORD_JOINER = "\u2060"


def reply(paragraphs: Iterable[str]) -> Reply:
    """One message of the paragraphs that are not empty; what exceeds WhatsApp's limit is cut off."""
    return Reply(clipped("\n\n".join(paragraph for paragraph in paragraphs if paragraph), LIMIT))


def echo(typed: str) -> str:
    """What a person typed, in one line and without any effect on WhatsApp's formatting."""
    line = " ".join(typed.translate(_LOOK_ALIKES).split())
    return f"{_WORD_JOINER}{line}" if line.startswith(_LIST_MARKS) else line


def contact(setting: str) -> str:
    """An e-mail address, number or opening hours as configured, of bounded length."""
    return clipped(setting.strip(), _CONTACT_LIMIT)


def clipped(text: str, units: int) -> str:
    """`text` within so many UTF-16 units, ending in `…` where something was cut off."""
    encoded = text.encode("utf-16-le", "surrogatepass")
    if len(encoded) <= 2 * units:
        return text
    return encoded[: 2 * (units - 1)].decode("utf-16-le", "ignore") + "…"


def masked(phone: str) -> str:
    """`+919876543210` as `••••••3210`."""
    return f"••••••{phone[-4:]}"


def pincode_and_place(pincode: str, place: str) -> str:
    """`400001 — Mumbai, Maharashtra`, or the pincode alone where the place is unknown."""
    return f"{pincode} — {place}" if place else pincode


def day(moment: datetime) -> str:
    """`5 Jan 2026` in India."""
    there = moment.astimezone(_IST)
    return f"{there.day} {there:%b %Y}"


def minute(moment: datetime) -> str:
    """`5 Jan 2026, 4:05 PM` in India."""
    there = moment.astimezone(_IST)
    return f"{day(moment)}, {there.hour % 12 or 12}:{there:%M} {'AM' if there.hour < 12 else 'PM'}"
