"""The receiver as Twilio sees it: what it answers to whom, how fast, and that a 200 means durable."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from urllib.parse import quote, urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from sandbox.auth import FakeAuth
from sandbox.ledger import new_sid
from sandbox.twilio import FakeTwilio
from sandbox.valkey import Valkey
from sandbox.webhooks import sign
from tests.service import ASHA, Bot, settings_for

BASE = "http://127.0.0.1:9"
ASHA_BY_ID = "whatsapp:IN.13491208655302741918"


@pytest.fixture
def app(web: ModuleType, redis_url: str, fake_twilio: FakeTwilio, fake_auth: FakeAuth) -> Flask:
    made = web.create_app(settings_for(redis_url, fake_twilio, fake_auth))
    assert isinstance(made, Flask)
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def form(twilio: FakeTwilio, **changes: str) -> dict[str, str]:
    usual = {"AccountSid": twilio.account.sid, "MessageSid": new_sid(), "From": ASHA, "Body": "Hi", "NumMedia": "0"}
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def post(
    client: FlaskClient, twilio: FakeTwilio, fields: dict[str, str], path: str = "/webhook", token: str = ""
) -> TestResponse:
    """A signed request, as Twilio makes it."""
    signature = sign(token or twilio.account.auth_token, BASE + path, list(fields.items()))
    return client.post(
        path,
        data=urlencode(fields),
        headers={
            "X-Twilio-Signature": signature,
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        },
    )


def inbox(bot: Bot, address: str = ASHA) -> int:
    return int(bot.redis.llen(f"msme:inbox:{bot.key(address)}"))


def test_a_message_is_durable_when_it_is_acknowledged(client: FlaskClient, fake_twilio: FakeTwilio, bot: Bot) -> None:
    answer = post(client, fake_twilio, form(fake_twilio))
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "text/xml", b"<Response/>")
    assert inbox(bot) == 1 and len(bot.runtime.wakeups.queue) == 1


def test_a_duplicate_is_acknowledged_and_enters_once(client: FlaskClient, fake_twilio: FakeTwilio, bot: Bot) -> None:
    fields = form(fake_twilio)
    answers = [post(client, fake_twilio, fields) for _ in range(3)]
    assert [(answer.status_code, answer.mimetype) for answer in answers] == [(200, "text/xml")] * 3
    assert inbox(bot) == 1


@pytest.mark.parametrize("signature", [None, "", "wrong", "ключ", "A" * 10_000])
def test_whoever_is_not_twilio_is_refused(
    client: FlaskClient, fake_twilio: FakeTwilio, bot: Bot, signature: str | None
) -> None:
    headers = {} if signature is None else {"X-Twilio-Signature": signature.encode().decode("latin-1")}
    for path in ("/webhook", "/webhook/status?ref=x"):
        answer = client.post(path, data=form(fake_twilio), headers=headers)
        assert (answer.status_code, answer.mimetype) == (403, "text/plain")
    assert inbox(bot) == 0


def test_another_token_and_another_account_are_refused(client: FlaskClient, fake_twilio: FakeTwilio, bot: Bot) -> None:
    assert post(client, fake_twilio, form(fake_twilio), token="another").status_code == 403
    assert post(client, fake_twilio, form(fake_twilio, AccountSid="AC" + "9" * 32)).status_code == 403
    assert inbox(bot) == 0


def test_a_signature_over_other_words_is_refused(client: FlaskClient, fake_twilio: FakeTwilio, bot: Bot) -> None:
    fields = form(fake_twilio)
    signature = sign(fake_twilio.account.auth_token, f"{BASE}/webhook", list(fields.items()))
    fields["Body"] = "YES"
    answer = client.post("/webhook", data=fields, headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 403 and inbox(bot) == 0


def test_during_a_rotation_both_tokens_are_good(
    web: ModuleType, redis_url: str, fake_twilio: FakeTwilio, fake_auth: FakeAuth
) -> None:
    rotating = settings_for(redis_url, fake_twilio, fake_auth, twilio_auth_token="current,next")
    client = web.create_app(rotating).test_client()
    answers = [post(client, fake_twilio, form(fake_twilio), token=token) for token in ("current", "next", "old")]
    assert [answer.status_code for answer in answers] == [200, 200, 403]


@pytest.mark.parametrize(
    "changes",
    [
        {"MessageSid": ""},
        {"MessageSid": "SM123"},
        {"MessageSid": "SM" + "g" * 32},
        {"MessageSid": "SM" + "1" * 32 + "\n"},
        {"MessageSid": "XX" + "1" * 32},
        {"From": ""},
    ],
)
def test_a_form_that_is_no_message_is_told_so(
    client: FlaskClient, fake_twilio: FakeTwilio, bot: Bot, changes: dict[str, str]
) -> None:
    answer = post(client, fake_twilio, form(fake_twilio, **changes))
    assert (answer.status_code, answer.mimetype) == (400, "text/plain") and inbox(bot) == 0


def test_too_large_a_form_is_refused(client: FlaskClient, fake_twilio: FakeTwilio) -> None:
    answer = post(client, fake_twilio, form(fake_twilio, Body="x" * 66_000))
    assert (answer.status_code, answer.mimetype) == (413, "text/plain")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/webhook", 405), ("PUT", "/webhook", 405), ("GET", "/", 404), ("POST", "/nowhere", 404)],
)
def test_what_is_not_here_is_told_plainly(client: FlaskClient, method: str, path: str, status: int) -> None:
    answer = client.open(path, method=method)
    assert (answer.status_code, answer.mimetype) == (status, "text/plain")


def test_a_person_without_a_number_is_known_by_either_address(
    client: FlaskClient, fake_twilio: FakeTwilio, bot: Bot
) -> None:
    linked = form(fake_twilio, From=ASHA, ExternalUserId=ASHA_BY_ID.removeprefix("whatsapp:"))
    by_id = form(fake_twilio, From=ASHA_BY_ID, ExternalUserId=ASHA_BY_ID)
    assert [post(client, fake_twilio, fields).status_code for fields in (linked, by_id)] == [200, 200]
    assert (inbox(bot), inbox(bot, ASHA_BY_ID)) == (2, 0)


def test_a_status_callback_is_noted_by_its_reference(client: FlaskClient, fake_twilio: FakeTwilio, bot: Bot) -> None:
    (sid,) = bot.hears("Hi")
    bot.attends()
    path = f"/webhook/status?ref={bot.key()}-{sid}-0"
    told = {"AccountSid": fake_twilio.account.sid, "MessageSid": new_sid(), "MessageStatus": "delivered"}
    answer = post(client, fake_twilio, told, path)
    assert (answer.status_code, answer.data) == (204, b"")
    assert " delivered " in bot.redis.hvals(f"msme:status:{bot.key()}")[0]


@pytest.mark.parametrize("query", ["", "?ref=", "?ref=x", f"?ref={'a' * 32}-" + "x" * 200, "?ref=%00%ff"])
def test_a_status_callback_that_is_not_about_us_is_told_so(
    client: FlaskClient, fake_twilio: FakeTwilio, query: str
) -> None:
    told = {"AccountSid": fake_twilio.account.sid, "MessageSid": new_sid(), "MessageStatus": "sent"}
    answer = post(client, fake_twilio, told, f"/webhook/status{query}")
    assert (answer.status_code, answer.mimetype) == (400, "text/plain")


@pytest.mark.parametrize("path", ["/webhook?x=%27%7B%2f", "/webhook?a=1&a=2"])
def test_the_signature_covers_the_raw_target(client: FlaskClient, fake_twilio: FakeTwilio, path: str) -> None:
    assert post(client, fake_twilio, form(fake_twilio), path).status_code == 200


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=300),
    kind=st.sampled_from(
        ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "", "x"]
    ),
    query=st.binary(max_size=30),
    name=st.sampled_from(["X-Twilio-Signature", "X-Twilio-Webhooks-Signature-Settings", "Content-Length", "Cookie"]),
    value=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=30),
)
def test_no_bytes_whatever_make_it_fail(
    client: FlaskClient, body: bytes, kind: str, query: bytes, name: str, value: str
) -> None:
    headers = {"X-Twilio-Signature": "x", name: value}
    for path in ("/webhook", "/webhook/status"):
        answer = client.post(f"{path}?{quote(query)}", data=body, headers=headers, content_type=kind)
        assert answer.status_code in (400, 403, 413)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(["Body", "From", "NumMedia", "ButtonPayload", "ExternalUserId", "Latitude", "MessageSid", "Ä"]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
    )
)
def test_no_signed_form_whatever_makes_it_fail(
    client: FlaskClient, fake_twilio: FakeTwilio, changes: dict[str, str]
) -> None:
    answer = post(client, fake_twilio, form(fake_twilio, **changes))
    assert answer.status_code in (200, 400)


class TestWhenRedisIsAway:
    """Never a false 200, and a quick 503."""

    @pytest.fixture
    def valkey(self, tmp_path: Path) -> Iterator[Valkey]:
        with Valkey(tmp_path, maxmemory="30mb") as server:
            yield server

    @pytest.fixture
    def client(self, web: ModuleType, valkey: Valkey, fake_twilio: FakeTwilio, fake_auth: FakeAuth) -> FlaskClient:
        made = web.create_app(settings_for(valkey.url, fake_twilio, fake_auth)).test_client()
        assert post(made, fake_twilio, form(fake_twilio)).status_code == 200
        return made  # type: ignore[no-any-return]

    def refused_within(self, seconds: float, client: FlaskClient, twilio: FakeTwilio) -> None:
        told = {"AccountSid": twilio.account.sid, "MessageSid": new_sid(), "MessageStatus": "sent"}
        for fields, path in ((form(twilio), "/webhook"), (told, f"/webhook/status?ref={'a' * 32}-SM1-0")):
            started = time.monotonic()
            answer = post(client, twilio, fields, path)
            assert (answer.status_code, answer.mimetype) == (503, "text/plain") and answer.headers["Retry-After"]
            # The promise to Twilio, whose own patience ends: not a measure of speed.
            assert time.monotonic() - started < seconds

    def test_refused(self, client: FlaskClient, valkey: Valkey, fake_twilio: FakeTwilio) -> None:
        valkey.stop()
        self.refused_within(1, client, fake_twilio)
        assert client.get("/health").status_code == 503
        valkey.start()
        assert post(client, fake_twilio, form(fake_twilio)).status_code == 200

    def test_hanging(self, client: FlaskClient, valkey: Valkey, fake_twilio: FakeTwilio) -> None:
        valkey.hang()
        try:
            self.refused_within(2, client, fake_twilio)
        finally:
            valkey.resume()
        assert post(client, fake_twilio, form(fake_twilio)).status_code == 200

    def test_nearly_full(
        self, client: FlaskClient, valkey: Valkey, fake_twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from redis import Redis

        with Redis.from_url(valkey.url) as redis:
            redis.config_set("maxmemory", int(redis.info("memory")["used_memory"] * 1.05))
            clock = time.monotonic
            monkeypatch.setattr(time, "monotonic", lambda: clock() + 2)
            assert post(client, fake_twilio, form(fake_twilio)).status_code == 503
            redis.config_set("maxmemory", "100mb")
            monkeypatch.setattr(time, "monotonic", lambda: clock() + 4)
            assert post(client, fake_twilio, form(fake_twilio)).status_code == 200

    def test_full_between_two_looks(self, client: FlaskClient, valkey: Valkey, fake_twilio: FakeTwilio) -> None:
        from redis import Redis

        with Redis.from_url(valkey.url) as redis:
            redis.config_set("maxmemory", 1)
            assert post(client, fake_twilio, form(fake_twilio)).status_code == 503
            redis.config_set("maxmemory", 0)


def test_other_keys_than_those_of_this_redis_take_nothing_in(
    web: ModuleType, bot: Bot, redis_url: str, fake_twilio: FakeTwilio, fake_auth: FakeAuth
) -> None:
    strange = settings_for(redis_url, fake_twilio, fake_auth, contact_secret="another secret of 32 characters!")
    client = web.create_app(strange).test_client()
    assert post(client, fake_twilio, form(fake_twilio)).status_code == 503
    assert bot.redis.keys("msme:inbox:*") == []
