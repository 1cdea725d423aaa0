"""The admin endpoints and the whole HTTP surface, through gunicorn: who gets in, and what nonsense and patience do."""

import concurrent.futures
import json
import random
import re
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis import Redis

from sandbox.environment import Secrets
from sandbox.ledger import new_sid
from sandbox.twilio_rest import Account
from tests.outside import Answer, Door, ask, door, logs_of, post_form, send_bytes

pytestmark = pytest.mark.xdist_group("access")

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
ADMIN = [
    ("POST", "/send-broadcast"),
    ("GET", "/broadcasts"),
    ("GET", "/broadcasts/b0123456789ab"),
    ("POST", "/broadcasts/b0123456789ab/cancel"),
    ("POST", "/broadcasts/b0123456789ab/retry-failed"),
]
OWN = Secrets.fresh()


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> Iterator[dict[str, Door]]:
    with Redis.from_url(valkey_url) as redis:
        redis.flushall()
    setups = {"plain": {"WEB_CONCURRENCY": "2"}, "proxied": {"TRUSTED_PROXIES": "1"}, "closed": {"ADMIN_TOKEN": ""}}
    opened = {
        name: door(tmp_path_factory.mktemp(name), valkey_url, OWN, **settings) for name, settings in setups.items()
    }
    for one in opened.values():
        one.services.wait_until_healthy()
    yield opened
    for one in opened.values():
        one.services.stop()


@pytest.fixture(autouse=True)
def nobody_has_guessed(valkey_url: str) -> None:
    with Redis.from_url(valkey_url) as redis:
        for key in redis.scan_iter("msme:wrong_tries:*"):
            redis.delete(key)


@pytest.fixture
def plain(doors: dict[str, Door]) -> Door:
    return doors["plain"]


@pytest.fixture
def proxied(doors: dict[str, Door]) -> Door:
    return doors["proxied"]


def as_admin(one: Door, target: str = "/broadcasts", token: str = OWN.ADMIN_TOKEN, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(one.url, target, headers={"Authorization": f"Bearer {token}", **named})


def guess(one: Door, times: int, **headers: str) -> list[int]:
    return [as_admin(one, token=f"guess-{number}", **headers).status for number in range(times)]


@pytest.mark.parametrize(("method", "target"), ADMIN)
def test_admins_get_in_and_nobody_else(plain: Door, method: str, target: str) -> None:
    def status(**headers: str) -> int:
        return ask(plain.url, target, method, headers, "{}").status

    assert status() == 401
    assert status(Authorization="Bearer wrong") == 401
    assert status(Authorization=f"Basic {OWN.ADMIN_TOKEN}") == 401
    assert status(Authorization=OWN.ADMIN_TOKEN) == 401
    assert status(Authorization=f"Bearer {OWN.ADMIN_TOKEN}x") == 401
    assert status(Authorization=f"Bearer {OWN.ADMIN_TOKEN[:-1]}") == 401
    assert status(Authorization="Bearer é".encode().decode("latin-1")) == 401
    assert status(Authorization=f"Bearer {OWN.ADMIN_TOKEN}") in (200, 400, 404)
    assert status(Authorization=f"bearer {OWN.ADMIN_TOKEN}") in (200, 400, 404)


def test_a_refusal_says_how_to_ask(plain: Door) -> None:
    answer = ask(plain.url, "/broadcasts")
    assert answer.headers["www-authenticate"].casefold().startswith("bearer")
    assert "Authorization: Bearer <ADMIN_TOKEN>" in answer.text


@pytest.mark.parametrize(("method", "target"), ADMIN)
@pytest.mark.parametrize("token", ["", "anything", OWN.ADMIN_TOKEN], ids=["none", "any", "another"])
def test_without_a_token_in_the_settings_everything_is_closed(
    doors: dict[str, Door], method: str, target: str, token: str
) -> None:
    answer = ask(doors["closed"].url, target, method, {"Authorization": f"Bearer {token}"}, "{}")
    assert answer.status == 403 and "ADMIN_TOKEN is not set" in answer.text


def test_ten_wrong_tries_a_minute_close_the_door_even_for_the_right_token(plain: Door, valkey_url: str) -> None:
    assert guess(plain, 11) == [401] * 10 + [429]
    answer = as_admin(plain)
    assert answer.status == 429 and answer.headers["retry-after"] == "60"
    with Redis.from_url(valkey_url) as redis:
        (key,) = redis.keys("msme:wrong_tries:*")
        assert 0 < redis.ttl(key) <= 60 and b"127.0.0.1" not in key
        redis.delete(key)
    assert as_admin(plain).status == 200


def test_questions_without_a_token_are_no_guesses(plain: Door) -> None:
    assert [ask(plain.url, "/broadcasts").status for _ in range(12)] == [401] * 12
    assert as_admin(plain).status == 200


def test_only_the_address_that_guessed_is_shut_out(proxied: Door) -> None:
    assert guess(proxied, 11, X_Forwarded_For="203.0.113.7")[-1] == 429
    assert as_admin(proxied, X_Forwarded_For="203.0.113.7").status == 429
    assert as_admin(proxied, X_Forwarded_For="203.0.113.8").status == 200


def test_behind_a_proxy_the_caller_cannot_choose_another_address(proxied: Door) -> None:
    # A proxy appends the address it sees; what the caller wrote before it is not believed.
    assert guess(proxied, 11, X_Forwarded_For="198.51.100.1, 203.0.113.9")[-1] == 429
    assert as_admin(proxied, X_Forwarded_For="198.51.100.2, 203.0.113.9").status == 429


def test_without_a_trusted_proxy_forwarded_addresses_count_for_nothing(plain: Door) -> None:
    tries = [as_admin(plain, token="wrong", X_Forwarded_For=f"203.0.113.{number}").status for number in range(11)]
    assert tries[-1] == 429


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("GET", "/health", 200),
        ("GET", "/health/live", 200),
        ("GET", "/broadcasts", 401),
        ("GET", "/nowhere", 404),
        ("DELETE", "/webhook", 405),
        ("POST", "/webhook", 403),
        ("POST", "/webhook/status", 403),
        ("BREW", "/health", 405),
        ("OPTIONS", "/broadcasts", 401),
    ],
)
def test_every_answer_is_guarded_and_names_no_server(plain: Door, method: str, target: str, expected: int) -> None:
    answer = ask(plain.url, target, method)
    assert answer.status == expected
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "server" not in answer.headers and "gunicorn" not in str(answer).casefold()


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 100 + b"\r\n",
    ],
)
def test_what_is_no_request_gets_a_guarded_answer_too(plain: Door, sent: bytes) -> None:
    head, _, body = send_bytes(plain.url, sent).decode("latin-1").partition("\r\n\r\n")
    lines = head.split("\r\n")
    assert re.match(r"HTTP/1\.1 4\d\d ", lines[0])
    assert {f"{name}: {value}" for name, value in HEADERS.items()} <= {line.replace(*_lowered(line)) for line in lines}
    assert "gunicorn" not in head + body and "Server:" not in head


def _lowered(line: str) -> tuple[str, str]:
    name = line.partition(":")[0]
    return name, name.lower()


def test_health_tells_no_secrets(plain: Door) -> None:
    answer = ask(plain.url, "/health")
    told = json.loads(answer.text)
    assert set(told) >= {"status", "services", "timestamp"}
    for secret in ("redis://", "http", OWN.ADMIN_TOKEN, OWN.SEAL_KEYS, Account.sid, "127.0.0.1", "Python"):
        assert secret not in answer.text


def test_long_bodies_are_refused(plain: Door) -> None:
    for target in ("/webhook", "/send-broadcast"):
        headers = {"Authorization": f"Bearer {OWN.ADMIN_TOKEN}", "Content-Type": "application/x-www-form-urlencoded"}
        body = b"a=" + b"b" * 70_000
        assert ask(plain.url, target, "POST", headers, body).status == 413


def test_a_body_just_short_enough_is_read(plain: Door) -> None:
    form = [("AccountSid", Account.sid), ("Body", "b" * 60_000), ("From", "whatsapp:IN.1"), ("MessageSid", new_sid())]
    assert post_form(plain.url, "/webhook", form, plain.signed("/webhook", form)).status == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("", "body"),
        ("[1]", "body"),
        ("{", "body"),
        (b"\xff\xfe", "body"),
        ("{}", "message"),
        ('{"message": 7}', "message"),
        ('{"message": "Hi {phone}"}', "message"),
        ('{"message": "Hi", "target_step": "nowhere"}', "target_step"),
        ('{"message": "Hi", "send_at": "tomorrow"}', "send_at"),
        ('{"message": "Hi", "to": "everybody"}', "to"),
        ('{"content_sid": "HX1"}', "content_sid"),
        ('{"message": "' + "x" * 1601 + '"}', "message"),
        ("[" * 20_000, "body"),
        ('{"message": "\\ud800"}', "message"),
    ],
)
def test_a_wrong_broadcast_is_refused_with_the_name_of_the_field(plain: Door, body: str | bytes, field: str) -> None:
    answer = ask(plain.url, "/send-broadcast", "POST", {"Authorization": f"Bearer {OWN.ADMIN_TOKEN}"}, body)
    assert answer.status == 400 and field in json.loads(answer.text)["fields"]


SLOW = [
    pytest.param(b"", id="nothing at all"),
    pytest.param(b"POST /webhook HTTP/1.1\r\nHost: x\r\nX-a: ", id="half a head"),
    pytest.param(b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nMessageSid=", id="half a body"),
    pytest.param(b"POST /webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", id="half a chunk"),
]


@pytest.mark.parametrize("begun", SLOW)
def test_slow_clients_do_not_stop_others(plain: Door, begun: bytes) -> None:
    parts = urlsplit(plain.url)
    with ExitStack() as stack:
        # More than there are threads in all web processes.
        slow = [stack.enter_context(socket.create_connection((parts.hostname, parts.port))) for _ in range(40)]
        for connection in slow:
            connection.sendall(begun)
        for connection in slow:
            connection.sendall(b"x" if begun else b"")
        form = [("AccountSid", Account.sid), ("Body", "Hi"), ("From", "whatsapp:IN.2"), ("MessageSid", new_sid())]
        assert post_form(plain.url, "/webhook", form, plain.signed("/webhook", form)).status == 200
        # They were not in the way although they are all still there.
        assert not any(_is_closed(connection) for connection in slow)


def test_a_request_that_comes_in_pieces_is_answered(plain: Door) -> None:
    parts = urlsplit(plain.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        for number in range(2):
            for piece in (b"GET /hea", b"lth/live HTTP/1.1\r\nHo", b"st: x\r\n", b"\r\n"):
                connection.sendall(piece)
            assert b"alive" in connection.recv(65536), f"request {number} on this connection"


def _is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False


def test_ten_thousand_malformed_requests_do_no_harm(plain: Door) -> None:
    chance = random.Random(5)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(_nonsense, [plain.url] * 20, [chance.random() for _ in range(20)]))
        before = _memory(plain)
        seen = Counter[int]()
        for statuses in pool.map(_nonsense, [plain.url] * 200, [chance.random() for _ in range(200)]):
            seen.update(statuses)
    assert seen.total() == 10_000
    assert not any(status >= 500 and status != 503 for status in seen), seen
    # Flat: what 10,000 requests leave behind is less than 1 KB each.
    assert _memory(plain) - before < 10_000_000
    assert ask(plain.url, "/health").status == 200
    assert "uncaught" not in logs_of(plain.services)


def _nonsense(url: str, seed: float) -> list[int]:
    """Fifty malformed requests on one connection, the last of them no request at all; the statuses that came back."""
    chance = random.Random(seed)
    sent = b"".join(_malformed(chance) for _ in range(49)) + chance.randbytes(40) + b"\r\n\r\n"
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", send_bytes(url, sent))]


def _malformed(chance: random.Random) -> bytes:
    body = chance.randbytes(chance.randrange(60))
    method, target = (
        chance.choice([b"POST", b"PUT", b"GET"]),
        chance.choice(
            [
                b"/webhook",
                b"/webhook/status?ref=%ff",
                b"/send-broadcast",
                b"/broadcasts/%00",
                b"/%",
                b"//",
                b"/health/x",
            ]
        ),
    )
    kind = chance.choice(
        [b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x", b"application/json", b"\xff", b""]
    )
    head = b"%s %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nX-Twilio-Signature: %s\r\nContent-Length: %d\r\n\r\n"
    return head % (method, target, kind, body.hex().encode(), len(body)) + body


def _memory(one: Door) -> int:
    """Resident bytes of the web processes."""
    parent = one.services.pids["web"]
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in children) * 4096
