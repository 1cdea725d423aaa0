"""Who is let in at the webhook, over real HTTP through gunicorn: Twilio, however it reaches us, and nobody else."""

import itertools
from collections.abc import Iterator

import pytest
from redis import Redis

from sandbox.environment import Secrets
from sandbox.ledger import new_sid
from sandbox.twilio_rest import Account
from sandbox.webhooks import Form, sign
from tests.outside import Answer, Door, ask, door, in_redis, post_form, send_bytes

pytestmark = pytest.mark.xdist_group("signature")

_PEOPLE = itertools.count(1)
NEXT_TOKEN = "the0next0token0the0next0token000"
PROXIED = {"X_Forwarded_Proto": "https", "X_Forwarded_For": "54.172.60.1", "Host": "bot.example.com"}
# How Twilio calls us -> the settings for it, the headers that arrive then.
SETUPS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "direct": ({"TWILIO_AUTH_TOKEN": f"{Account.auth_token},{NEXT_TOKEN}"}, {}),
    "behind a TLS proxy": ({"PUBLIC_URL": "https://bot.example.com", "TRUSTED_PROXIES": "1"}, PROXIED),
    "behind a proxy that rewrites paths": (
        {"PUBLIC_URL": "https://example.com/bots/msme", "TRUSTED_PROXIES": "1"},
        {**PROXIED, "Host": "10.0.0.7:5000"},
    ),
    "on a port of its own": ({"PUBLIC_URL": "https://bot.example.com:8443"}, {"Host": "bot.example.com:8443"}),
}


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> Iterator[dict[str, Door]]:
    own = Secrets.fresh()
    with Redis.from_url(valkey_url) as redis:
        redis.flushall()
    opened = {
        name: door(tmp_path_factory.mktemp("door"), valkey_url, own, **settings)
        for name, (settings, _) in SETUPS.items()
    }
    for one in opened.values():
        one.services.wait_until_healthy()
    yield opened
    for one in opened.values():
        one.services.stop()


@pytest.fixture
def direct(doors: dict[str, Door]) -> Door:
    return doors["direct"]


def form_of(*more: tuple[str, str], **changes: str) -> Form:
    form = {
        "AccountSid": Account.sid,
        "Body": "Hi",
        # Somebody else each time, for one person's inbox takes no more than 30.
        "From": f"whatsapp:IN.{next(_PEOPLE)}",
        "MessageSid": new_sid(),
        "NumMedia": "0",
        "To": Account.number,
    }
    return [*{**form, **changes}.items(), *more]


def sid_of(form: Form) -> str:
    return dict(form)["MessageSid"]


def is_in(one: Door, sid: str) -> bool:
    """Whether this message is durable."""
    waiting = in_redis(one.env["REDIS_URL"])
    return any(
        value.startswith(sid.encode())
        for key, values in waiting.items()
        if key.startswith(b"msme:inbox:")
        for value in values
    )


def assert_let_in(one: Door, form: Form, answer: Answer) -> None:
    assert (answer.status, answer.headers["content-type"], answer.text) == (200, "text/xml", "<Response/>")
    assert is_in(one, sid_of(form))


def assert_kept_out(one: Door, form: Form, answer: Answer) -> None:
    assert answer.status == 403 and "signature" in answer.text
    assert not is_in(one, sid_of(form))


@pytest.mark.parametrize("setup", SETUPS)
def test_twilio_is_let_in(doors: dict[str, Door], setup: str) -> None:
    one, form = doors[setup], form_of()
    answer = post_form(one.url, "/webhook", form, one.signed("/webhook", form), **SETUPS[setup][1])
    assert_let_in(one, form, answer)


@pytest.mark.parametrize("setup", SETUPS)
def test_a_signature_for_the_address_behind_the_proxy_is_refused(doors: dict[str, Door], setup: str) -> None:
    one, form = doors[setup], form_of()
    inner = sign(Account.auth_token, "http://10.0.0.7:5000/webhook", form)
    assert_kept_out(one, form, post_form(one.url, "/webhook", form, inner, **SETUPS[setup][1]))


def test_a_signature_over_the_address_without_its_port_is_good(doors: dict[str, Door]) -> None:
    # Twilio itself is not consistent about ports: https://www.twilio.com/docs/usage/security
    one, form = doors["on a port of its own"], form_of()
    signature = one.signed("/webhook", form, public_url="https://bot.example.com")
    assert_let_in(one, form, post_form(one.url, "/webhook", form, signature))


def test_a_forged_host_header_changes_nothing(direct: Door) -> None:
    form = form_of()
    signature = sign(Account.auth_token, "http://evil.example.com/webhook", form)
    answer = post_form(direct.url, "/webhook", form, signature, Host="evil.example.com", X_Forwarded_Proto="http")
    assert_kept_out(direct, form, answer)


@pytest.mark.parametrize(
    "target",
    [
        "/webhook?a=b&c=d",
        "/webhook?name=O%27Brien&set=%7B1%7D&path=%2fx%2Fy",
        "/webhook?space=a+b%20c&plus=%2B91&percent=100%25",
        "/webhook?text=%E0%A4%A8%E0%A4%AE%E0%A4%B8%E0%A5%8D%E0%A4%A4%E0%A5%87",
        "/webhook?empty=&alone&again=1&again=2",
    ],
)
@pytest.mark.parametrize("setup", SETUPS)
def test_a_query_string_is_signed_as_it_was_sent(doors: dict[str, Door], setup: str, target: str) -> None:
    one, form = doors[setup], form_of()
    answer = post_form(one.url, target, form, one.signed(target, form), **SETUPS[setup][1])
    assert_let_in(one, form, answer)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param([("MessagingServiceSid", "MG" + "a" * 32)], id="a Messaging Service"),
        pytest.param([("BrandNewIn2031", "yes"), ("zz", "z"), ("AA", "a")], id="parameters we have never heard of"),
        pytest.param([("Tag", "b"), ("Tag", "a"), ("Tag", "b")], id="repeated parameters"),
        pytest.param([("ButtonText", ""), ("Label", "")], id="empty values"),
        pytest.param([("ProfileName", "आशा देवी 🙏🏽"), ("Label", "दुकान")], id="emoji and Devanagari"),
        pytest.param([("Note", "a&b=c+d %41 ;\r\n\t'\"<>")], id="characters that forms escape"),
        pytest.param([("Größe", "ü"), ("नाम", "आशा")], id="names beyond ASCII"),
    ],
)
def test_whatever_twilio_sends_along_is_signed_and_accepted(direct: Door, more: Form) -> None:
    form = form_of(*more, Body="नमस्ते 👋 – it's ½ off")
    assert_let_in(direct, form, post_form(direct.url, "/webhook", form, direct.signed("/webhook", form)))


@pytest.mark.parametrize("token", [Account.auth_token, NEXT_TOKEN])
def test_both_auth_tokens_are_good_during_a_rotation(direct: Door, token: str) -> None:
    form = form_of()
    assert_let_in(direct, form, post_form(direct.url, "/webhook", form, direct.signed("/webhook", form, token)))


def test_an_auth_token_that_is_not_in_the_settings_is_refused(doors: dict[str, Door]) -> None:
    one, form = doors["behind a TLS proxy"], form_of()
    assert_kept_out(one, form, post_form(one.url, "/webhook", form, one.signed("/webhook", form, NEXT_TOKEN)))


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"Body": "Hi!"}, id="body"),
        pytest.param({"From": "whatsapp:+919822222222"}, id="sender"),
        pytest.param({"MessageSid": "SM" + "0" * 32}, id="sid"),
        pytest.param({"Added": ""}, id="a parameter more"),
    ],
)
def test_a_form_that_was_tampered_with_is_refused(direct: Door, changed: dict[str, str]) -> None:
    form = form_of()
    signature = direct.signed("/webhook", form)
    tampered = list({**dict(form), **changed}.items())
    assert_kept_out(direct, tampered, post_form(direct.url, "/webhook", tampered, signature))


@pytest.mark.parametrize("target", ["/webhook?to=other", "/webhook?x", "/webhook?a=%41"])
def test_a_target_that_was_tampered_with_is_refused(direct: Door, target: str) -> None:
    form = form_of()
    signed = direct.signed("/webhook?a=A" if "a=" in target else "/webhook", form)
    assert_kept_out(direct, form, post_form(direct.url, target, form, signed))


@pytest.mark.parametrize("signature", [None, "", " ", "AAAA", "नमस्ते".encode().decode("latin-1"), "=" * 28, "x" * 4000])
def test_a_signature_that_is_none_is_refused(direct: Door, signature: str | None) -> None:
    form = form_of()
    assert_kept_out(direct, form, post_form(direct.url, "/webhook", form, signature))


def test_a_signature_cut_short_or_in_another_case_is_refused(direct: Door) -> None:
    form = form_of()
    good = direct.signed("/webhook", form)
    for wrong in (good[:-1], good.swapcase(), good + "A", good[::-1]):
        assert_kept_out(direct, form, post_form(direct.url, "/webhook", form, wrong))


def test_another_account_is_refused_however_well_it_signs(direct: Door) -> None:
    form = form_of(AccountSid="AC" + "6" * 32)
    answer = post_form(direct.url, "/webhook", form, direct.signed("/webhook", form))
    assert answer.status == 403 and "account" in answer.text and not is_in(direct, sid_of(form))


def test_an_algorithm_nobody_knows_is_refused(direct: Door) -> None:
    form = form_of()
    settings = {"X_Twilio_Webhooks_Signature_Settings": "key=k,algorithm=ROT13"}
    answer = post_form(direct.url, "/webhook", form, direct.signed("/webhook", form), **settings)
    assert_kept_out(direct, form, answer)


def test_status_callbacks_are_signed_in_the_same_way(direct: Door) -> None:
    target = f"/webhook/status?ref={'0' * 32}-x-0"
    form = form_of(MessageStatus="sent")
    assert post_form(direct.url, target, form, direct.signed(target, form)).status == 204
    assert post_form(direct.url, target, form, direct.signed("/webhook/status", form)).status == 403


def test_a_replay_of_a_valid_webhook_changes_nothing(direct: Door) -> None:
    form = form_of(Body="once")
    signature = direct.signed("/webhook", form)
    assert_let_in(direct, form, post_form(direct.url, "/webhook", form, signature))
    before = {key: values for key, values in in_redis(direct.env["REDIS_URL"]).items() if key.startswith(b"msme:")}
    for _ in range(3):
        assert post_form(direct.url, "/webhook", form, signature).text == "<Response/>"
    after = {key: values for key, values in in_redis(direct.env["REDIS_URL"]).items() if key.startswith(b"msme:")}
    assert after == before
    with Redis.from_url(direct.env["REDIS_URL"]) as redis:
        assert 6 * 86400 < redis.ttl(f"msme:received:{sid_of(form)}") <= 7 * 86400


def test_an_absolute_target_is_not_taken_for_ours(direct: Door) -> None:
    form = form_of()
    signature = direct.signed("/webhook", form)
    assert ask(direct.url, direct.url + "/webhook", "POST", {"X-Twilio-Signature": signature}).status == 403


def test_two_signatures_are_not_better_than_one(direct: Door) -> None:
    form = form_of()
    good = direct.signed("/webhook", form)
    head = f"POST /webhook HTTP/1.1\r\nHost: x\r\nX-Twilio-Signature: AAAA\r\nX-Twilio-Signature: {good}\r\n"
    answer = send_bytes(direct.url, f"{head}Content-Length: 0\r\n\r\n".encode())
    assert answer.split(b" ", 2)[1] in (b"400", b"403")
