"""The service from outside: what can be asked over HTTP and the command line, and all that it leaves behind."""

import http.client
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from redis import Redis

from pipeline.seal import Hasher
from sandbox.children import free_port
from sandbox.environment import Secrets, environment
from sandbox.laptop import Laptop
from sandbox.services import PROJECT, Services
from sandbox.twilio_rest import Account
from sandbox.webhooks import Form, sign

# One of each is enough to show it, and starts sooner.
SMALL = {"WEB_CONCURRENCY": "1", "WORKER_PROCESSES": "1", "WORKER_THREADS": "4"}


@dataclass(frozen=True)
class Answer:
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str


def ask(
    url: str, target: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes | str = b""
) -> Answer:
    """One request with exactly this target, over a connection of its own."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        connection.request(method, target, body, dict(headers or {}))
        answer = connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, named, answer.read().decode(errors="replace"))
    finally:
        connection.close()


def post_form(url: str, target: str, form: Form, signature: str | None, **headers: str) -> Answer:
    """A webhook as Twilio posts it; `signature` None leaves the header out."""
    named = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
    if signature is not None:
        named["X-Twilio-Signature"] = signature
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(url, target, "POST", named, urlencode(form))


def send_bytes(url: str, sent: bytes) -> bytes:
    """Bytes as they are, and all that comes back until the other side closes."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except ConnectionResetError:
            return received
    return received


def command(env: Mapping[str, str], *words: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
    """`python -m pipeline …` as an operator runs it, in this environment."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *words],
        input=typed,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=PROJECT,
        env=dict(env),
    )


def until(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """What `condition` answers as soon as that is true; fails when it never is."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"still not so after {seconds:g} s"
        time.sleep(0.05)
    return found


def in_redis(url: str) -> dict[bytes, list[bytes]]:
    """All keys with all that stands in them, scores and ids left out, what RQ has compressed unpacked."""
    found: dict[bytes, list[bytes]] = {}
    with Redis.from_url(url) as redis:
        for key in redis.keys("*"):
            found[key] = [_unpacked(value) for value in _values(redis, key)]
    return found


def all_bytes(url: str) -> bytes:
    """The same, as one text."""
    return b"\n".join(part for key, values in in_redis(url).items() for part in (key, *values))


def _values(redis: "Redis", key: bytes) -> list[bytes]:
    kind = redis.type(key)
    if kind == b"string":
        value = redis.get(key)
        return [] if value is None else [value]
    if kind == b"list":
        return redis.lrange(key, 0, -1)
    if kind == b"hash":
        return [part for pair in redis.hgetall(key).items() for part in pair]
    if kind == b"stream":
        return [part for _, entry in redis.xrange(key) for pair in entry.items() for part in pair]
    return redis.zrange(key, 0, -1) if kind == b"zset" else list(redis.smembers(key))


def _unpacked(value: bytes) -> bytes:
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value


def key_of(env: Mapping[str, str], address: str) -> str:
    """The contact key of an address in the service with this environment."""
    return Hasher(env["CONTACT_SECRET"]).contact_key(address)


def logs_of(services: Services) -> str:
    """All that its processes have said."""
    return "\n".join(file.read_text(errors="replace") for file in sorted(services.logs.glob("*.log")))


@contextmanager
def laptop_in(folder: Path, **settings: str) -> Iterator[Laptop]:
    """The whole service, small."""
    with Laptop(folder, settings={**SMALL, **settings}) as laptop:
        yield laptop


@dataclass(frozen=True)
class Door:
    """The web process alone, in front of a Valkey."""

    services: Services
    url: str

    @property
    def env(self) -> dict[str, str]:
        return self.services.env

    @property
    def public_url(self) -> str:
        return self.services.env["PUBLIC_URL"]

    def signed(self, target: str, form: Form, token: str = Account.auth_token, public_url: str | None = None) -> str:
        """The signature that Twilio would make for this webhook."""
        return sign(token, (public_url or self.public_url) + target, form)


def door(folder: Path, redis_url: str, own: Secrets, **settings: str) -> Door:
    """A web process with these settings; `wait_until_healthy` comes next, `stop` at the end."""
    port = free_port()
    env = environment(
        port=port,
        redis_url=redis_url,
        twilio_url="http://127.0.0.1:9",
        auth_url="http://127.0.0.1:9",
        account=Account(),
        own=own,
    )
    services = Services({**env, **SMALL, **settings}, folder)
    services.start("web")
    return Door(services, f"http://127.0.0.1:{port}")
