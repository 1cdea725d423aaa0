"""Broadcasts as an admin makes them over HTTP."""

import importlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from pipeline import broadcasts
from sandbox.auth import FakeAuth
from sandbox.environment import environment
from sandbox.twilio import FakeTwilio
from tests.crowd import TEMPLATE, heard, people, serve
from tests.service import OWN, Bot, settings_for

TOKEN = {"Authorization": f"Bearer {OWN.ADMIN_TOKEN}"}


@pytest.fixture
def client(
    redis_url: str, fake_twilio: FakeTwilio, fake_auth: FakeAuth, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FlaskClient]:
    """The HTTP surface, to be asked by an admin; `web` reads the environment when it is imported."""
    chosen = environment(
        port=9, redis_url=redis_url, twilio_url=fake_twilio.url, auth_url=fake_auth.url, account=fake_twilio.account,
        own=OWN,
    )  # fmt: skip
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    app = importlib.import_module("web").create_app(settings_for(redis_url, fake_twilio, fake_auth))
    with app.test_client() as admin:
        yield admin


def send(client: FlaskClient, fields: object, key: str = "") -> tuple[int, dict[str, Any]]:
    answer = client.post("/send-broadcast", json=fields, headers=TOKEN | ({"Idempotency-Key": key} if key else {}))
    return answer.status_code, answer.get_json()


def shown(client: FlaskClient, id_: str) -> dict[str, Any]:
    answer = client.get(f"/broadcasts/{id_}", headers=TOKEN)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def order(client: FlaskClient, id_: str, wish: str) -> dict[str, Any]:
    answer = client.post(f"/broadcasts/{id_}/{wish}", headers=TOKEN)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def start_what_is_due(bot: Bot) -> None:
    """What the job that the request left on the queue does."""
    for id_, _ in bot.runtime.broadcasts.to_start():
        broadcasts.start(bot.runtime, id_)


def test_a_broadcast_from_the_wish_to_the_last_count(client: FlaskClient, bot: Bot) -> None:
    crowd = people(bot, 3)
    status, made = send(client, {"message": "News for {name}", "name": "Monday"})
    assert status == 202
    assert (made["recipients"], made["in_window"], made["messages"], made["length"]) == (3, 3, 3, 15)
    assert made["steps"]["sector"] == {"in_window": 3, "outside_window": 0, "opted_out": 0}
    assert bot.runtime.wakeups.queue.job_ids[-1] == f"broadcast-{made['broadcast_id']}"
    start_what_is_due(bot)
    serve(bot)
    assert heard(bot, crowd) == [1, 1, 1]
    found = shown(client, made["broadcast_id"])
    assert (found["status"], found["recipients"], found["sent"], found["queued"]) == ("done", 3, 3, 0)
    assert found["name"] == "Monday" and datetime.fromisoformat(found["finished_at"]).tzinfo
    listed = client.get("/broadcasts", headers=TOKEN).get_json()["broadcasts"]
    assert listed == [found]


def test_a_template_goes_out_with_its_variables(client: FlaskClient, bot: Bot) -> None:
    crowd = people(bot, 1)
    status, _ = send(client, {"content_sid": TEMPLATE.content_sid, "content_variables": {"1": "{name}"}})
    assert status == 202
    start_what_is_due(bot)
    serve(bot)
    assert bot.twilio.sent_to(crowd[0])[-1].form["ContentVariables"] == '{"1": "Asha A"}'


def test_it_is_paused_resumed_and_cancelled(client: FlaskClient, bot: Bot) -> None:
    crowd = people(bot, 2)
    _, made = send(client, {"message": "News"})
    id_ = made["broadcast_id"]
    start_what_is_due(bot)
    assert order(client, id_, "pause")["status"] == "paused"
    serve(bot, rounds=3)
    assert heard(bot, crowd) == [0, 0] and shown(client, id_)["reason"] == "pause by http"
    assert order(client, id_, "resume")["status"] == "running"
    assert order(client, id_, "cancel")["status"] == "cancelled"
    assert order(client, id_, "pause")["status"] == "cancelled"
    serve(bot)
    assert heard(bot, crowd) == [0, 0] and shown(client, id_)["skipped"] == 2
    assert order(client, id_, "retry-failed") == {"broadcast_id": id_, "retried": 0}


def test_the_same_request_twice_makes_one(client: FlaskClient, bot: Bot) -> None:
    crowd = people(bot, 2)
    answers = [send(client, {"message": "News"}, key="monday") for _ in range(2)]
    start_what_is_due(bot)
    serve(bot)
    assert [status for status, _ in answers] == [202, 202]
    assert [made["created"] for _, made in answers] == [True, False]
    assert len({made["broadcast_id"] for _, made in answers}) == 1 and heard(bot, crowd) == [1, 1]
    status, refused = send(client, {"message": "Other news"}, key="monday")
    assert status == 400 and set(refused["fields"]) == {"Idempotency-Key"}


def test_what_is_to_be_sent_later_waits(client: FlaskClient, bot: Bot) -> None:
    crowd = people(bot, 1)
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    _, made = send(client, {"message": "News", "send_at": later})
    start_what_is_due(bot)
    serve(bot, rounds=2)
    assert shown(client, made["broadcast_id"])["status"] == "scheduled" and heard(bot, crowd) == [0]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"[]", "body"),
        (b"\xff", "body"),
        (b"[" * 60_000, "body"),
        (b'{"message": ""}', "message"),
        (b'{"message": "\\ud800"}', "message"),
        (b'{"message": "a", "text": "b"}', "text"),
        (b'{"message": "a", "send_at": "2026-12-01"}', "send_at"),
        (b'{"message": "Dear {nmae}"}', "message"),
    ],
)
def test_a_wish_that_cannot_be_fulfilled_is_refused_by_the_name_of_its_field(
    client: FlaskClient, bot: Bot, body: bytes, field: str
) -> None:
    answer = client.post("/send-broadcast", data=body, headers=TOKEN)
    assert answer.status_code == 400 and set(answer.get_json()["fields"]) == {field}
    assert bot.runtime.broadcasts.newest() == []


@pytest.mark.parametrize("wish", ["pause", "resume", "cancel", "retry-failed"])
def test_of_what_there_is_not_nothing_can_be_wished(client: FlaskClient, wish: str) -> None:
    assert client.post(f"/broadcasts/b0123456789ab/{wish}", headers=TOKEN).status_code == 404
    assert client.get("/broadcasts/b0123456789ab", headers=TOKEN).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/send-broadcast"),
        ("GET", "/broadcasts"),
        ("GET", "/broadcasts/b0123456789ab"),
        *(("POST", f"/broadcasts/b0123456789ab/{wish}") for wish in ("pause", "resume", "cancel", "retry-failed")),
    ],
)
@pytest.mark.parametrize("token", [None, "Bearer wrong", "Basic x"])
def test_nobody_but_an_admin_may_ask(client: FlaskClient, bot: Bot, method: str, path: str, token: str | None) -> None:
    headers = {"Authorization": token} if token else {}
    assert client.open(path, method=method, json={"message": "News"}, headers=headers).status_code == 401
    assert bot.runtime.broadcasts.newest() == []


def test_who_did_what_is_on_the_audit_list(client: FlaskClient, bot: Bot) -> None:
    people(bot, 1)
    _, made = send(client, {"message": "News"})
    order(client, made["broadcast_id"], "cancel")
    deeds = [(deed.who, deed.what, deed.about) for deed in bot.runtime.audit.newest()]
    id_ = made["broadcast_id"]
    assert deeds == [("http:admin", "broadcast cancel", id_), ("http:admin", "broadcast", id_)]
