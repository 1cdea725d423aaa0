"""A broadcast as somebody wishes it, checked: every problem is named with its field."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pipeline.broadcast import MOST_UNITS, PLACEHOLDERS, Content, filled_in, units, unknown_placeholders
from pipeline.errors import PipelineError
from pipeline.session import STEPS, Step

# A time that has passed is taken for now if it passed just now; longer ago, it was mistyped.
_LATE_AT_MOST = timedelta(minutes=5)
_AHEAD_AT_MOST = timedelta(days=365)

_FIELDS = frozenset({"message", "target_step", "content_sid", "content_variables", "send_at", "name"})


class DraftError(PipelineError):
    """The wish cannot be fulfilled; `problems` says why, by field."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        super().__init__("\n".join(f"{field}: {words}" for field, words in self.problems.items()))


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be sent to whom and when (None: now). `key` makes two wishes one; empty: each is its own."""

    content: Content
    step: Step | Literal[""] = ""
    name: str = ""
    send_at: datetime | None = None
    key: str = ""


def draft(fields: Mapping[str, Any], now: datetime, key: str = "") -> Draft:
    """The draft that the fields of a request say. Raises DraftError naming every field that is wrong."""
    problems = {field: "is not a field of a broadcast" for field in fields if field not in _FIELDS}
    given = {field: fields.get(field) or "" for field in _FIELDS}
    for field in _FIELDS - {"content_variables"}:
        if not isinstance(given[field], str) or not _can_be_written(given[field]):
            problems[field] = "must be a text"
            given[field] = ""
    variables = _variables(given["content_variables"], problems)
    if variables and not given["content_sid"]:
        problems.setdefault("content_variables", "goes with content_sid")
    _check_content(given["message"], given["content_sid"], problems)
    if given["target_step"] and given["target_step"] not in STEPS:
        problems["target_step"] = f"must be one of {', '.join(STEPS)}"
    if len(given["name"]) > 100:
        problems["name"] = "must have 100 characters at most"
    if len(key) > 200:
        problems["Idempotency-Key"] = "must have 200 characters at most"
    send_at = _moment(given["send_at"], now, problems)
    if problems:
        raise DraftError(problems)
    step: Any = given["target_step"]
    content = Content(given["message"], given["content_sid"], variables)
    return Draft(content, step, given["name"], send_at, key)


def _check_content(text: str, content_sid: str, problems: dict[str, str]) -> None:
    if content_sid:
        if not re.fullmatch(r"HX[0-9a-fA-F]{32}", content_sid):
            problems["content_sid"] = "must look like HX and 32 hexadecimal digits"
        if text:
            problems["message"] = "cannot go with content_sid: a template has its own text"
        return
    if not text.strip():
        problems.setdefault("message", "is missing: a text, or content_sid for an approved template")
    elif unknown := unknown_placeholders(text):
        problems["message"] = _cannot_fill_in(unknown)
    elif units(filled_in(text, "", "")) > MOST_UNITS:
        problems["message"] = f"is longer than the {MOST_UNITS} characters of one message"


def _cannot_fill_in(unknown: list[str]) -> str:
    known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    return f"has placeholders we cannot fill in ({', '.join(unknown)}); we know {known}"


def _can_be_written(text: str) -> bool:
    """JSON can hold halves of characters, which no message can."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _variables(given: Any, problems: dict[str, str]) -> str:
    if not given:
        return ""
    try:
        variables = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        variables = None
    if not isinstance(variables, dict) or not all(isinstance(value, str) for value in variables.values()):
        problems["content_variables"] = 'must be an object of texts, such as {"1": "Asha"}'
        return ""
    if unknown := unknown_placeholders(" ".join(variables.values())):
        problems["content_variables"] = _cannot_fill_in(unknown)
    written = json.dumps(variables, ensure_ascii=False)
    if not _can_be_written(written):
        problems["content_variables"] = "must be texts"
    return written


def _moment(given: str, now: datetime, problems: dict[str, str]) -> datetime | None:
    if not given:
        return None
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        problems["send_at"] = "must be a time with its offset, such as 2026-12-01T10:00:00+05:30"
        return None
    if not now - _LATE_AT_MOST <= moment <= now + _AHEAD_AT_MOST:
        problems["send_at"] = "must lie ahead, within a year"
        return None
    return moment
