"""What a broadcast is: words for the shell and the store."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pipeline.session import Step

State = Literal["scheduled", "preparing", "running", "paused", "cancelled", "done"]

PLACEHOLDERS = ("name", "sector")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
# What stands for an answer that is not known.
_FALLBACKS = {"name": "friend", "sector": "business"}
MOST_UNITS = 1600


@dataclass(frozen=True, slots=True)
class Content:
    """What is said: free text, with {name} and {sector} filled in for each person, or an approved template
    (`content_sid`, HX…) with its variables."""

    text: str = ""
    content_sid: str = ""
    variables: str = ""

    @property
    def is_template(self) -> bool:
        """Templates reach everybody, free text only those who wrote within 24 hours."""
        return bool(self.content_sid)


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One broadcast and how it stands. `step` is empty for everybody; counters are totals so far, `open` are the
    recipients not served yet."""

    id: str
    state: State
    content: Content
    name: str
    step: Step | Literal[""]
    created_at: datetime
    send_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    reason: str
    total: int
    open: int
    sent: int
    delivered: int
    read: int
    failed: int
    skipped: int


@dataclass(frozen=True, slots=True)
class Recipient:
    """One row: `state` queued, released, sent, delivered, read, failed or skipped; `detail` an error code or reason."""

    contact: str
    state: str
    detail: str
    at: datetime


def unknown_placeholders(text: str) -> list[str]:
    """Placeholders in a text that we cannot fill in."""
    return sorted({found for found in _PLACEHOLDER.findall(text) if found not in PLACEHOLDERS})


def filled_in(text: str, name: str, sector: str) -> str:
    """The text for one person, answers unknown or too long for the message replaced by a fallback word."""
    known = {"name": name or _FALLBACKS["name"], "sector": sector or _FALLBACKS["sector"]}
    whole = _PLACEHOLDER.sub(lambda found: known[found[1]], text)
    return whole if units(whole) <= MOST_UNITS else _PLACEHOLDER.sub(lambda found: _FALLBACKS[found[1]], text)


def personal(content: Content, name: str, sector: str) -> Content:
    """The content for one person: placeholders filled in, in a text as in the variables of a template."""
    variables = content.variables
    if variables:
        values = {key: filled_in(value, name, sector) for key, value in json.loads(variables).items()}
        variables = json.dumps(values, ensure_ascii=False)
    return Content(filled_in(content.text, name, sector), content.content_sid, variables)


def units(text: str) -> int:
    """The length of a text in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2
