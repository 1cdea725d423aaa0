"""Marked values go into the running service by every way there is; afterwards no trace of them is found in the open.

What is looked through: all of Redis and its append-only file, every log at DEBUG, command lines and titles of all
processes, the answers of open endpoints, the command line without `--reveal`. What is looked for: each value as it is,
and in the disguises that are as good as open: hexadecimal, base64, percent-encoded, escaped.
"""

import base64
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from redis import Redis

from pipeline.seal import Seal
from pipeline.wakeups import WakeUps
from sandbox.http_server import Answer, LocalServer, Request, json_answer
from sandbox.laptop import Laptop
from sandbox.twilio_rest import Account
from sandbox.webhooks import sign
from tests.outside import all_bytes, ask, command, in_redis, key_of, logs_of, post_form, send_bytes, until

pytestmark = pytest.mark.xdist_group("privacy")

NAME, PROFILE = "Zubeida Qadirwala", "Profilna Xylander"
PINCODE, PHONE = "781335", "9123498761"
TEXT = "rhododendron-thistle"
HER, HIS, THEIRS = "whatsapp:+919123498762", "whatsapp:+919123498763", "whatsapp:+919123498764"
BROKEN, ODD = "whatsapp:+919123498765", "whatsapp:+919123498766"
USER_ID = "IN.77441122889900335"
MARKS = (NAME, "Zubeida", "Qadirwala", PROFILE, PHONE, TEXT, USER_ID, "whatsapp:", "91234987")


def disguises(mark: str) -> Iterator[bytes]:
    """The mark in every form in which it would still be in the open."""
    plain = mark.encode()
    yield from (plain, quote(mark).encode(), quote(mark, safe="").encode(), plain.replace(b" ", b"+"))
    yield from (plain.hex().encode(), plain.hex().upper().encode(), mark.encode("utf-16-le"))
    for shift in range(3):
        # The characters that are the same whatever stands before and after.
        first, end = -(-8 * shift // 6), 8 * (shift + len(plain)) // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(b"\0" * shift + plain + b"\0\0")[first:end]


def traces(found: bytes) -> list[str]:
    """The marks that are in there."""
    seen = [mark for mark in MARKS for form in disguises(mark) if len(form) >= 6 and form in found]
    # Six digits alone may be part of any hash or time.
    seen += [PINCODE] * bool(re.search(rb"(?<![0-9a-zA-Z.])" + PINCODE.encode() + rb"(?![0-9a-zA-Z])", found))
    return seen


@pytest.mark.parametrize("mark", MARKS)
def test_the_search_finds_what_it_looks_for(mark: str) -> None:
    plain = mark.encode()
    for before in (b"", b"x", b"xy", b"xyz"):
        for found in (before + plain, base64.b64encode(before + plain + b"..."), (before + plain).hex().encode()):
            assert mark in traces(b"log line: " + found + b"\n")
    assert traces(b'{"pin": "781335"}') == [PINCODE] and not traces(b"1795781335123 a781335 innocent")


@dataclass(frozen=True)
class Evidence:
    """What was found when everything had been done."""

    places: dict[str, bytes]
    redis: dict[bytes, list[bytes]]
    secrets: dict[str, str]
    events: list[dict[str, Any]]


def liar(laptop: Laptop) -> LocalServer:
    """Stands before the simulated Twilio and Auth API, and quotes in its errors what it was sent."""

    def answer(request: Request) -> Answer:
        sent = request.body.decode()
        if request.path == "/api/send-otp" and PHONE in sent:
            return Answer(500, f"cannot send an OTP for {sent}".encode())
        recipient = request.form.get("To", "") or request.query.get("To", "")
        if recipient == HIS:
            words = f"The 'To' number {recipient} is not valid for '{request.form.get('Body')}'"
            return json_answer(400, {"code": 21211, "message": words, "more_info": recipient, "status": 400})
        if recipient == THEIRS:
            return Answer(500, f"<h1>{recipient} {sent}</h1>".encode())
        server = laptop.auth.server if request.path.startswith(("/api/", "/health")) else laptop.twilio.server
        target = request.path + ("?" + "&".join(f"{k}={quote(v)}" for k, v in request.query.items()))
        passed = {name: value for name, value in request.headers.items() if name in ("authorization", "content-type")}
        said = ask(server.url, target, request.method, passed, request.body)
        return Answer(said.status, said.text.encode())

    return LocalServer(answer)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evidence]:
    folder = tmp_path_factory.mktemp("privacy")
    with ExitStack() as stack:
        laptop = Laptop(folder, settings={"LOG_LEVEL": "DEBUG", "WEB_CONCURRENCY": "1", "WORKER_THREADS": "4"})
        between = stack.enter_context(liar(laptop))
        laptop.services.env |= {"TWILIO_API_BASE_URL": between.url, "AUTH_API_URL": between.url}
        stack.enter_context(laptop)
        places = {"what the operator sees": _everything_happens(laptop)}
        places["the append-only file"] = b"".join(
            file.read_bytes() for file in (folder / "valkey" / "appendonlydir").iterdir()
        )
        _jobs_fail(laptop)
        places["Redis"] = all_bytes(laptop.valkey.url)
        places["open endpoints"] = _open_endpoints(laptop)
        places["processes"] = _titles(laptop)
        logs = logs_of(laptop.services)
        places["logs"] = logs.encode()
        env = laptop.services.env
        secrets = {name: env[name] for name in ("TWILIO_AUTH_TOKEN", "TWILIO_API_KEY_SECRET", "SEAL_KEYS")}
        secrets |= {name: env[name] for name in ("CONTACT_SECRET", "ADMIN_TOKEN")}
        events = [json.loads(line) for line in logs.splitlines() if line.startswith("{")]
        yield Evidence(places, in_redis(laptop.valkey.url), secrets, events)


def _everything_happens(laptop: Laptop) -> bytes:
    """All the ways in, one after the other; answers what commands without --reveal say."""
    _registers_in_vain(laptop)
    _cannot_be_reached(laptop)
    _stands_on_broken_ground(laptop)
    _broadcast(laptop)
    _nonsense_arrives(laptop.url)
    return _operator_looks(laptop)


def _registers_in_vain(laptop: Laptop) -> None:
    her = laptop.twilio.person(HER, name=PROFILE, external_user_id=USER_ID)
    for number, text in enumerate(("Hi", NAME, "Retail", PINCODE, PHONE, "YES", f"{TEXT} {PHONE}"), 1):
        assert her.say(text, Label=TEXT, Address=TEXT).acknowledged
        her.wait_for_replies(number)
    her.send_location()
    her.wait_for_replies(8)


def _cannot_be_reached(laptop: Laptop) -> None:
    for address in (HIS, THEIRS):
        assert laptop.twilio.person(address).say(f"{TEXT} to {address}").acknowledged
    until(lambda: '"decision": "unreachable"' in logs_of(laptop.services))
    until(lambda: '"decision": "in doubt"' in logs_of(laptop.services))
    # A callback may quote, too.
    reference = f"{key_of(laptop.services.env, HER)}-SM{'1' * 32}-0"
    form = {"AccountSid": Account.sid, "MessageSid": "SM" + "2" * 32, "MessageStatus": "failed", "ErrorCode": "63024"}
    form |= {"ErrorMessage": f"{HER} {TEXT}", "ChannelStatusMessage": PHONE, "To": HER}
    assert _posted(laptop, f"/webhook/status?ref={reference}", form) == 204


def _posted(laptop: Laptop, target: str, form: dict[str, str]) -> int:
    signature = sign(Account.auth_token, laptop.url + target, list(form.items()))
    return post_form(laptop.url, target, list(form.items()), signature).status


def _stands_on_broken_ground(laptop: Laptop) -> None:
    """Sessions that make a step raise, and that have an unknown shape."""
    env = laptop.services.env
    seal, now = Seal(env["SEAL_KEYS"].split(",")), "2999-01-01T00:00:00+00:00"
    broken = {"current_step": "confirmation", "data": {"name": [NAME], "sector": {TEXT: PHONE}, "pincode": [PINCODE]}}
    odd = {"current_step": "name", "data": {f"{NAME} {PHONE}": TEXT}}
    with Redis.from_url(laptop.valkey.url) as redis:
        for address, session in ((BROKEN, broken), (ODD, odd)):
            key = key_of(env, address)
            stored = json.dumps({**session, "created_at": now, "updated_at": now})
            redis.set(f"msme:session:{key}", seal.close(stored, key, "session"))
    for address in (BROKEN, ODD):
        laptop.twilio.person(address).say(f"{TEXT} 3")
        laptop.twilio.person(address).wait_for_replies(1)


def _broadcast(laptop: Laptop) -> None:
    her = laptop.twilio.person(HER)
    headers = {"Authorization": f"Bearer {laptop.services.env['ADMIN_TOKEN']}"}
    wish = json.dumps({"message": f"Namaste {{name}}! {TEXT}", "name": "a test"})
    assert ask(laptop.url, "/send-broadcast", "POST", headers, wish).status == 202
    until(lambda: any(reply.startswith(f"Namaste {NAME}! {TEXT}") for reply in her.replies))


def _nonsense_arrives(url: str) -> None:
    for sent in (
        f"GET /{TEXT} {PHONE} {NAME} HTTP/1.1\r\n\r\n",
        f"{TEXT.upper()} / HTTP/{PHONE}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\n{NAME} {PHONE}\r\n\r\n",
        f"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {TEXT}\r\n\r\n",
    ):
        assert b" 400 " in send_bytes(url, sent.encode())
    assert post_form(url, f"/webhook?{TEXT}={PHONE}", [("Body", NAME), ("From", HER)], "wrong").status == 403
    assert ask(url, f"/broadcasts/{TEXT}", headers={"Authorization": f"Bearer {TEXT}{PHONE}"}).status == 401
    assert ask(url, f"/{TEXT}/{PHONE}?name={quote(NAME)}").status == 404


def _operator_looks(laptop: Laptop) -> bytes:
    env, said = laptop.services.env, b""
    for words in (("failed", "list"), ("failed", "list", "--json"), ("contact", "show", HER, "--json"), ("audit",)):
        done = command(env, *words)
        assert done.returncode == 0
        said += (done.stdout + done.stderr).encode()
    return said


def _jobs_fail(laptop: Laptop) -> None:
    """A job that raises with a person's words in the exception: it is told to read them as a number."""
    with Redis.from_url(laptop.valkey.url) as redis:
        redis.set("msme:watermark", f"{NAME} {PHONE} {TEXT}")
        wakeups = WakeUps(redis)
        wakeups.queue.enqueue_call("pipeline.jobs.catch_up", job_id="raises", result_ttl=0, failure_ttl=3600)
        until(lambda: redis.hget("rq:job:raises", "status") == b"failed")
        redis.delete("msme:watermark")


def _open_endpoints(laptop: Laptop) -> bytes:
    admin = {"Authorization": f"Bearer {laptop.services.env['ADMIN_TOKEN']}"}
    targets = ("/health", "/health/live", "/metrics", "/stats", "/", "/nowhere")
    return b"".join(str(ask(laptop.url, target, headers=admin)).encode() for target in targets)


def _titles(laptop: Laptop) -> bytes:
    """Command lines and names of the service's processes and their threads; not those of other tests' commands."""
    services = laptop.services
    found = b""
    for pid in (*services.pids.values(), *services.worker_children(), *services.web_children()):
        for pattern in ("cmdline", "comm", "task/*/comm"):
            for file in Path(f"/proc/{pid}").glob(pattern):
                found += file.read_bytes() + b"\n"
    return found


PLACES = ("what the operator sees", "the append-only file", "Redis", "open endpoints", "processes", "logs")


@pytest.mark.parametrize("place", PLACES)
def test_nothing_personal_stands_in_the_open(evidence: Evidence, place: str) -> None:
    assert evidence.places[place]
    assert traces(evidence.places[place]) == []


@pytest.mark.parametrize("place", PLACES)
def test_no_secret_stands_anywhere(evidence: Evidence, place: str) -> None:
    found = evidence.places[place]
    assert [name for name, secret in evidence.secrets.items() if secret.encode() in found] == []


def test_every_way_in_was_really_taken(evidence: Evidence) -> None:
    events = {event["event"] for event in evidence.events}
    assert {"turn", "auth_api", "turn_raised", "set_aside", "unopenable", "not_sent", "dropped"} <= events
    assert {"broadcast_created", "job_raised", "unreadable_request", "refused", "sent", "status"} <= events
    assert {"OtpDue", "AuthUnavailable"} & {event.get("answer") for event in evidence.events}
    kinds = {key.split(b":")[1] for key in evidence.redis if key.startswith(b"msme:")}
    assert {b"session", b"contact", b"outbox", b"failed", b"broadcast", b"person", b"alias", b"last"} <= kinds


def test_what_is_personal_is_sealed_and_says_only_with_which_key(evidence: Evidence) -> None:
    sealed = []
    for key, values in evidence.redis.items():
        kind = key.split(b":")[1] if key.startswith(b"msme:") else b""
        if kind in (b"session", b"contact"):
            sealed += values
        elif kind in (b"outbox", b"last"):
            sealed += [json.loads(value)["body"].encode() for value in values]
        elif kind == b"failed":
            sealed += [json.loads(value).get("sealed", "").encode() for value in values if value.startswith(b"{")]
    sealed = [value for value in sealed if value]
    assert len(sealed) > 8
    for value in sealed:
        key_id, _, token = value.partition(b":")
        assert re.fullmatch(rb"[0-9a-f]{8}", key_id)
        # A Fernet token: its version, the time, and then nothing that can be told from chance.
        opaque = base64.urlsafe_b64decode(token)
        assert opaque[0] == 0x80 and len(set(opaque[9:])) > len(opaque[9:]) ** 0.5


def test_every_log_line_is_one_json_object(evidence: Evidence) -> None:
    lines = evidence.places["logs"].decode().splitlines()
    assert [line for line in lines if line and not line.startswith("{")] == []
    assert "Traceback" not in evidence.places["logs"].decode()
