"""What the clock says is wrong, when, how often and to whom."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
import structlog
from structlog.testing import LogCapture

from pipeline import alarms
from pipeline.alarms import Alarms, Observed, wrong
from pipeline.auth_api import AuthApi
from pipeline.health import AuthWatch
from pipeline.store.auth_gate import AuthHealth
from pipeline.store.pulse import Heartbeat, Pulse
from sandbox.auth import FakeAuth
from tests.service import Bot

# A Tuesday, 15:30 in India.
NOON = datetime(2026, 1, 13, 10, 0, tzinfo=UTC)
WELL = Observed(
    pulse=Pulse(workers=2, clock_is_alive=True, queue_depth=0, people_waiting=0, oldest_seconds=0.0, stopped_code=0),
    auth_is_there=True,
    failed_lately=0,
    memory_share=0.5,
    last_message=NOON - timedelta(minutes=1),
    messages_day_before=500,
)


def kinds(seen: Observed, now: datetime = NOON) -> list[str]:
    return [alarm.kind for alarm in wrong(seen, now)]


def test_a_service_that_is_well_is_quiet() -> None:
    assert kinds(WELL) == []


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        (replace(WELL, pulse=replace(WELL.pulse, oldest_seconds=61.0)), "late"),
        (replace(WELL, pulse=replace(WELL.pulse, stopped_code=20003)), "sending_stopped"),
        (replace(WELL, pulse=replace(WELL.pulse, workers=0)), "no_worker"),
        (replace(WELL, failed_lately=1), "failed_grows"),
        (replace(WELL, auth_is_there=False), "auth_down"),
        (replace(WELL, memory_share=0.81), "redis_memory"),
        (replace(WELL, last_message=NOON - timedelta(minutes=16)), "silence"),
        (replace(WELL, last_message=None), "silence"),
    ],
)
def test_each_trouble_has_its_alarm(seen: Observed, kind: str) -> None:
    assert kinds(seen) == [kind]


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 1, 13, 2, 0, tzinfo=UTC),  # 07:30 in India
        datetime(2026, 1, 13, 3, 44, tzinfo=UTC),  # 09:14, a quarter of an hour has not passed since nine
        datetime(2026, 1, 13, 12, 31, tzinfo=UTC),  # 18:01
        datetime(2026, 1, 17, 10, 0, tzinfo=UTC),  # Saturday
    ],
)
def test_silence_is_none_outside_business_hours(now: datetime) -> None:
    assert kinds(replace(WELL, last_message=now - timedelta(hours=12)), now) == []


def test_silence_is_none_where_nobody_wrote_the_day_before() -> None:
    assert kinds(replace(WELL, last_message=NOON - timedelta(days=3), messages_day_before=0)) == []


@pytest.fixture
def posted() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """An address that takes what is posted, and what was."""
    seen: list[dict[str, str]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook", seen
        server.shutdown()


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> LogCapture:
    """What the alarms write in the log."""
    captured = LogCapture()
    monkeypatch.setattr(alarms, "log", structlog.wrap_logger(None, processors=[captured]))
    return captured


def alarms_of(bot: Bot, webhook: str, auth: FakeAuth) -> Alarms:
    settings = bot.runtime.settings.model_copy(update={"alert_webhook_url": webhook})
    return Alarms(replace(bot.runtime, settings=settings), AuthWatch(AuthApi(auth.url), AuthHealth(bot.runtime.redis)))


def test_each_kind_is_said_once_in_ten_minutes_by_all_clocks(
    bot: Bot, fake_auth: FakeAuth, posted: tuple[str, list[dict[str, str]]], lines: LogCapture
) -> None:
    webhook, told = posted
    now = datetime.now(UTC)
    first, second = (alarms_of(bot, webhook, fake_auth) for _ in range(2))
    for clock, minutes in ((first, 0), (second, 1), (first, 9), (second, 11)):
        clock.look(now + timedelta(minutes=minutes))
    assert [one["alert"] for one in told] == ["no_worker", "no_worker"]
    assert "worker.py" in told[0]["text"] and datetime.fromisoformat(told[0]["timestamp"]) == now
    assert [line["alert"] for line in lines.entries if line["event"] == "alarm"] == ["no_worker", "no_worker"]


def test_a_webhook_that_is_away_stops_nothing_and_is_not_quoted(
    bot: Bot, fake_auth: FakeAuth, lines: LogCapture
) -> None:
    said = alarms_of(bot, "http://127.0.0.1:9/a-secret", fake_auth).look(datetime.now(UTC))
    assert [alarm.kind for alarm in said] == ["no_worker"]
    assert lines.entries[-1]["event"] == "alarm_not_posted" and "a-secret" not in str(lines.entries)


def test_alarms_say_nothing_personal(bot: Bot, fake_auth: FakeAuth, posted: tuple[str, list[dict[str, str]]]) -> None:
    bot.hears("Asha Devi 9876543210")
    bot.redis.zincrby("msme:waiting", -61_000, bot.key())
    Heartbeat(bot.runtime.redis, "worker").beat()
    alarms_of(bot, posted[0], fake_auth).look(datetime.now(UTC))
    assert [one["alert"] for one in posted[1]] == ["late"]
    assert not [mark for mark in ("Asha", "98765", "whatsapp", bot.key()) if mark in json.dumps(posted[1])]
