"""The dashboard as a browser asks for it: who gets in, what is on the page, what can be done from it."""

import importlib
import json
import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from redis import Redis

from pipeline import broadcasts
from sandbox.auth import FakeAuth
from sandbox.environment import environment
from sandbox.twilio import FakeTwilio
from tests.crowd import people, standing, started
from tests.service import ASHA, OWN, Bot, settings_for

_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]{64})"')
GONE = "b" + "0" * 12


def browser(
    redis_url: str, twilio: FakeTwilio, auth: FakeAuth, monkeypatch: pytest.MonkeyPatch, **changes: object
) -> FlaskClient:
    """A browser with an empty cookie jar; `web` reads the environment when it is imported."""
    chosen = environment(
        port=9, redis_url=redis_url, twilio_url=twilio.url, auth_url=auth.url, account=twilio.account, own=OWN
    )
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    app = importlib.import_module("web").create_app(settings_for(redis_url, twilio, auth, **changes))
    made: FlaskClient = app.test_client()
    return made


@pytest.fixture
def client(
    redis_url: str, fake_twilio: FakeTwilio, fake_auth: FakeAuth, monkeypatch: pytest.MonkeyPatch
) -> FlaskClient:
    return browser(redis_url, fake_twilio, fake_auth, monkeypatch)


@pytest.fixture
def admin(client: FlaskClient) -> Iterator[FlaskClient]:
    """A browser that has signed in."""
    assert sign_in(client) == 303
    yield client


def form_token(client: FlaskClient) -> str:
    found = _TOKEN.search(client.get("/admin").text)
    assert found
    return found[1]


def sign_in(client: FlaskClient, token: str = OWN.ADMIN_TOKEN) -> int:
    return client.post("/admin/sign-in", data={"form_token": form_token(client), "token": token}).status_code


def does(client: FlaskClient, action: str, **fields: str) -> str:
    """Sends a form of the page; what the page says afterwards."""
    answer = client.post(f"/admin/{action}", data={"form_token": form_token(client), **fields})
    assert answer.status_code == 303 and answer.location.startswith("/admin")
    said = re.search(r'role="status">([^<]+)<', client.get(answer.location).text)
    return said[1] if said else ""


def put_failure(bot: Bot, code: int = 63024) -> str:
    """A reply on the failed list, as the script leaves it there."""
    bot.hears("Hi")
    bot.attends()
    key = bot.key()
    sealed = bot.runtime.seal.close(json.dumps({"to": ASHA, "text": "a secret text"}), key, "outbox")
    record = {
        "kind": "reply",
        "contact": key,
        "reason": "failed",
        "code": code,
        "at": 1_700_000_000_000,
        "sealed": sealed,
    }
    bot.redis.hset("msme:failed", "ref-1", json.dumps(record))
    bot.redis.zadd("msme:failed_at", {"ref-1": record["at"]})
    return "ref-1"


def asks_for_support(bot: Bot) -> str:
    bot.hears("Hi", "Asha Devi", "SUPPORT")
    bot.attends_patiently()
    return bot.key()


def test_without_the_token_there_is_only_the_sign_in(client: FlaskClient) -> None:
    page = client.get("/admin")
    assert page.status_code == 200 and "Admin token" in page.text and "Funnel" not in page.text
    assert sign_in(client, "wrong") == 401
    assert "Funnel" not in client.get("/admin").text


def test_with_the_token_the_page_is_there_until_the_sign_out(client: FlaskClient) -> None:
    assert sign_in(client) == 303
    assert "Funnel" in client.get("/admin").text
    does(client, "sign-out")
    assert "Funnel" not in client.get("/admin").text


def test_after_a_sign_out_the_old_cookie_opens_nothing(admin: FlaskClient) -> None:
    cookie = admin.get_cookie("msme_admin", path="/admin")
    assert cookie is not None
    does(admin, "sign-out")
    admin.set_cookie("msme_admin", cookie.value, path="/admin")
    assert "Funnel" not in admin.get("/admin").text


def test_the_cookie_of_before_the_sign_in_does_not_become_the_admins(client: FlaskClient) -> None:
    client.set_cookie("msme_admin", "planted-by-somebody", path="/admin")
    assert sign_in(client) == 303
    cookie = client.get_cookie("msme_admin", path="/admin")
    assert cookie is not None and cookie.value != "planted-by-somebody"
    client.set_cookie("msme_admin", "planted-by-somebody", path="/admin")
    assert "Funnel" not in client.get("/admin").text


def test_a_new_admin_token_ends_all_visits(
    admin: FlaskClient, redis_url: str, fake_twilio: FakeTwilio, fake_auth: FakeAuth, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = admin.get_cookie("msme_admin", path="/admin")
    assert cookie is not None
    other = browser(redis_url, fake_twilio, fake_auth, monkeypatch, admin_token="another-token")
    other.set_cookie("msme_admin", cookie.value, path="/admin")
    assert "Funnel" not in other.get("/admin").text


def test_what_stands_in_redis_opens_nothing_and_ends(admin: FlaskClient, redis_url: str) -> None:
    cookie = admin.get_cookie("msme_admin", path="/admin")
    assert cookie is not None
    with Redis.from_url(redis_url, decode_responses=True) as redis:
        (key,) = redis.scan_iter("msme:signed_in:*")
        assert cookie.value not in key and 0 < redis.ttl(key) <= 8 * 3600


def test_after_ten_wrong_tokens_the_right_one_has_to_wait(client: FlaskClient) -> None:
    assert [sign_in(client, "wrong") for _ in range(10)] == [401] * 10
    assert sign_in(client) == 429


def test_without_an_admin_token_the_dashboard_is_closed(
    redis_url: str, fake_twilio: FakeTwilio, fake_auth: FakeAuth, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = browser(redis_url, fake_twilio, fake_auth, monkeypatch, admin_token="")
    assert sign_in(closed, "") == 403 and sign_in(closed, "anything") == 403


@pytest.mark.parametrize(
    ("public_url", "is_secure"), [("https://bot.example.com", True), ("http://127.0.0.1:9", False)]
)
def test_the_cookie_is_for_this_site_alone_and_not_for_scripts(
    redis_url: str,
    fake_twilio: FakeTwilio,
    fake_auth: FakeAuth,
    monkeypatch: pytest.MonkeyPatch,
    public_url: str,
    is_secure: bool,
) -> None:
    visitor = browser(redis_url, fake_twilio, fake_auth, monkeypatch, public_url=public_url)
    cookie = visitor.get("/admin").headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/admin"} <= set(cookie.split("; "))
    assert ("Secure" in cookie.split("; ")) == is_secure


ACTIONS = [
    "sign-out",
    f"broadcasts/{GONE}/pause",
    f"broadcasts/{GONE}/cancel",
    "failures/ref-1/retry",
    "failures/ref-1/drop",
    f"support/{'a' * 32}/reply",
]


@pytest.mark.parametrize("action", ["sign-in", *ACTIONS])
@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_a_form_that_is_not_of_this_visit_is_refused(admin: FlaskClient, bot: Bot, action: str, token: str) -> None:
    put_failure(bot)
    answer = admin.post(f"/admin/{action}", data={"form_token": token, "token": OWN.ADMIN_TOKEN, "text": "Hello"})
    assert answer.status_code == 403
    assert bot.runtime.failures.count() == 1 and "Funnel" in admin.get("/admin").text


@pytest.mark.parametrize("action", ACTIONS)
def test_whoever_has_not_signed_in_can_do_nothing(client: FlaskClient, bot: Bot, action: str) -> None:
    put_failure(bot)
    answer = client.post(f"/admin/{action}", data={"form_token": form_token(client), "text": "Hello"})
    assert (answer.status_code, answer.location) == (303, "/admin")
    assert bot.runtime.failures.count() == 1 and bot.runtime.audit.newest() == []


def test_nothing_foreign_is_loaded_and_nothing_stands_inline(admin: FlaskClient) -> None:
    page = admin.get("/admin")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    assert page.headers["Cache-Control"] == "no-store" and page.headers["X-Frame-Options"] == "DENY"
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script>|//", page.text.replace("<!doctype", ""))


def test_what_the_page_loads_is_there_also_before_the_sign_in(client: FlaskClient) -> None:
    kinds = {"admin.css": "text/css", "admin.js": "text/javascript", "icon.svg": "image/svg+xml"}
    for name, kind in kinds.items():
        found = client.get(f"/admin/static/{name}")
        assert (found.status_code, found.mimetype) == (200, kind)
    assert client.get("/admin/static/../admin.py").status_code == 404


def test_the_page_shows_what_goes_on_and_nobodys_words(admin: FlaskClient, bot: Bot) -> None:
    put_failure(bot)
    key = asks_for_support(bot)
    page = admin.get("/admin").text
    assert key in page and "63024" in page and "WhatsApp cannot reach this person" in page
    for secret in ("Asha", "9876543210", "a secret text"):
        assert secret not in page


def test_a_broadcast_is_paused_resumed_and_cancelled(admin: FlaskClient, bot: Bot) -> None:
    people(bot, 2)
    id_ = started(bot, "News for {name}", name="Monday <b>news</b>")
    assert "Monday &lt;b&gt;news" in admin.get("/admin").text
    assert does(admin, f"broadcasts/{id_}/pause") == "The broadcast is paused."
    assert standing(bot, id_).state == "paused"
    assert does(admin, f"broadcasts/{id_}/resume") == "The broadcast goes on."
    assert does(admin, f"broadcasts/{id_}/cancel") == "The broadcast is cancelled."
    assert standing(bot, id_).state == "cancelled"
    broadcasts.pump(bot.runtime)
    assert [deed.what for deed in bot.runtime.audit.newest(3)] == [
        "broadcast cancel", "broadcast resume", "broadcast pause",
    ]  # fmt: skip
    assert does(admin, f"broadcasts/{GONE}/pause") == "There is no such broadcast."


def test_a_failed_message_is_sent_again(admin: FlaskClient, bot: Bot) -> None:
    id_ = put_failure(bot)
    assert does(admin, f"failures/{id_}/retry") == "The message is on its way again."
    bot.attends_patiently()
    assert bot.said()[-1] == "a secret text" and bot.runtime.failures.count() == 0
    assert "not on the failed list any more" in does(admin, f"failures/{id_}/retry")


def test_a_failed_message_is_dropped_once(admin: FlaskClient, bot: Bot) -> None:
    id_ = put_failure(bot)
    assert does(admin, f"failures/{id_}/drop") == "The message is off the list."
    assert "not on the failed list any more" in does(admin, f"failures/{id_}/drop")
    assert [deed.what for deed in bot.runtime.audit.newest()].count("drop failure") == 1


def test_whoever_asked_for_support_is_answered_once(admin: FlaskClient, bot: Bot) -> None:
    key = asks_for_support(bot)
    assert does(admin, f"support/{key}/reply", text="Your pincode is\r\ncorrected.") == "Your answer is on its way."
    bot.attends_patiently()
    assert bot.said()[-1].endswith("Your pincode is\ncorrected.")
    deed = bot.runtime.audit.newest()[0]
    assert (deed.who, deed.what, deed.about) == ("dashboard:admin", "reply", key)
    assert "Nobody waits there" in does(admin, f"support/{key}/reply", text="Once more")
    assert "Nobody waits for the team" in admin.get("/admin").text


@pytest.mark.parametrize("text", ["", " \r\n ", "x" * 1601, "😀" * 801])
def test_an_answer_of_no_or_too_many_characters_is_not_sent(admin: FlaskClient, bot: Bot, text: str) -> None:
    key = asks_for_support(bot)
    before = len(bot.said())
    assert "Nothing was sent" in does(admin, f"support/{key}/reply", text=text)
    bot.attends_patiently()
    assert len(bot.said()) == before and bot.runtime.support.is_waiting(key)


def test_nobody_puts_words_of_theirs_on_the_page_by_a_link(admin: FlaskClient) -> None:
    assert "Call+this" not in admin.get("/admin?said=Call+this+number").text
    assert "Call this" not in admin.get("/admin?said=Call+this+number").text


def test_while_redis_is_away_the_page_says_so(
    fake_twilio: FakeTwilio, fake_auth: FakeAuth, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = browser("redis://127.0.0.1:1", fake_twilio, fake_auth, monkeypatch)
    lost.set_cookie("msme_admin", "anything", path="/admin")
    answer = lost.get("/admin")
    assert answer.status_code == 503 and "Redis cannot be reached" in answer.text
