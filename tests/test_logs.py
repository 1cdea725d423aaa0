"""Log lines: one thread from the webhook to the status, and readable by machines or people."""

import pytest
import structlog
from structlog.testing import LogCapture

from pipeline import attend, delivery, logs
from tests.service import Bot

KEY, SID = "ab" * 16, "SM" + "1" * 32


@pytest.mark.parametrize(
    ("reference", "trace"),
    [
        (f"{KEY}-{SID}-0", SID),
        (f"{KEY}-{SID}-sorry", SID),
        (f"{KEY}-{SID}-0-again", SID),
        (f"{KEY}-timer-1760000000000-0", "timer-1760000000000"),
        (f"{KEY}-slow-1760000000000", "slow"),
        (f"{KEY}-b0123456789ab-1", "b0123456789ab"),
        ("nonsense", "nonsense"),
    ],
)
def test_a_reference_leads_back_to_what_caused_it(reference: str, trace: str) -> None:
    assert logs.trace_of(reference) == trace


def test_turn_and_send_carry_the_sid_of_the_message(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    captured = LogCapture()
    log = structlog.wrap_logger(None, processors=[structlog.contextvars.merge_contextvars, captured])
    for module in (attend, delivery):
        monkeypatch.setattr(module, "log", log)
    (sid,) = bot.hears("Hi")
    bot.attends()
    assert [(line["event"], line["trace"]) for line in captured.entries] == [("turn", sid), ("sent", sid)]


@pytest.mark.parametrize(("style", "is_json"), [("json", True), ("console", False)])
def test_lines_for_machines_and_for_people(style: str, is_json: bool) -> None:
    renderer = logs._renderer(style)
    line = str(renderer(None, "info", {"event": "turn", "level": "info", "step": "name"}))
    assert "turn" in line and "name" in line and line.startswith("{") is is_json
