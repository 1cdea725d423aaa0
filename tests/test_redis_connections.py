"""Connections to Redis: no more than the settings allow, also under load; and encrypted ones."""

import os
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from pipeline.runtime import impatient_redis
from sandbox.auth import FakeAuth
from sandbox.environment import Secrets
from sandbox.laptop import Laptop
from sandbox.twilio import FakeTwilio
from tests.outside import command, door, until
from tests.service import Bot, settings_for

MINI = {"REDIS_MAX_CONNECTIONS": "20", "WEB_CONCURRENCY": "1", "WORKER_PROCESSES": "1", "WORKER_THREADS": "4"}
REPLIES = 3


def test_the_whole_service_stays_below_its_limit_under_load_and_ends_in_time(tmp_path: Path) -> None:
    with Laptop(tmp_path, settings=MINI) as laptop, Redis.from_url(laptop.valkey.url) as redis:
        people = [laptop.twilio.person(f"whatsapp:+9196000001{number:02}") for number in range(24)]
        most = 0

        def write(text: str) -> None:
            nonlocal most
            threads = [threading.Thread(target=person.say, args=(text,)) for person in people]
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                most = max(most, _connections(redis))
            for thread in threads:
                thread.join()

        for text in ("Hi", "Asha Devi", "3"):
            write(text)
        assert command(laptop.services.env, "stats").returncode == 0
        for person in people:
            person.wait_for_replies(REPLIES, 60)
            most = max(most, _connections(redis))
        assert {delivery.status for delivery in laptop.twilio.deliveries} == {200}
        assert 4 < most <= 16, "four are left for commands by hand"
        for pid in laptop.services.pids.values():
            os.kill(pid, signal.SIGTERM)
        # Heroku kills what has not ended 30 s after SIGTERM.
        until(lambda: not laptop.services.pids, 30)
        assert laptop.services.ended().count("ended with 0:") == 3


def _connections(redis: Redis) -> int:
    """Those of others than this test."""
    return len(redis.client_list()) - 1


def test_more_threads_than_connections_are_refused_with_the_number_it_takes(
    fake_twilio: FakeTwilio, fake_auth: FakeAuth
) -> None:
    few = {"redis_max_connections": 20, "web_concurrency": 1, "worker_processes": 1}
    assert settings_for("redis://x", fake_twilio, fake_auth, **few, worker_threads=8).redis_connections == 1
    with pytest.raises(ValidationError, match="it takes 21 at least"):
        settings_for("redis://x", fake_twilio, fake_auth, **few, worker_threads=9)


@pytest.fixture
def encrypted(redis_url: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a server that speaks TLS, with a certificate signed by itself (the embedded one has no TLS)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(tmp_path))
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_accept, args=(listener, context, urlsplit(redis_url).port), daemon=True).start()
    yield f"rediss://127.0.0.1:{listener.getsockname()[1]}/0"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def _accept(listener: socket.socket, context: ssl.SSLContext, port: int) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(client, context, port), daemon=True).start()


def _serve(client: socket.socket, context: ssl.SSLContext, port: int) -> None:
    """One encrypted connection, until it is closed: our clients ask, then wait for the answer."""
    with client, socket.create_connection(("127.0.0.1", port)) as server:
        try:
            with context.wrap_socket(client, server_side=True) as plain:
                threading.Thread(target=_copy, args=(server, plain), daemon=True).start()
                _copy(plain, server)
        except OSError:
            return


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(1 << 16):
            target.sendall(piece)
    except OSError:
        return


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "redis.example")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1))
    file = folder / "redis.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    return file


def test_a_certificate_signed_by_itself_is_refused_unless_the_url_says_otherwise(encrypted: str) -> None:
    with impatient_redis(encrypted) as redis, pytest.raises(RedisConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        redis.ping()
    with impatient_redis(f"{encrypted}?ssl_cert_reqs=none") as redis:
        assert redis.ping()


def test_a_conversation_goes_over_an_encrypted_connection(
    encrypted: str, fake_twilio: FakeTwilio, fake_auth: FakeAuth, no_naps: None
) -> None:
    bot = Bot.start(f"{encrypted}?ssl_cert_reqs=none", fake_twilio, fake_auth)
    bot.hears("Hi")
    bot.attends_patiently()
    assert "full name" in bot.said()[0]
    bot.close()


def test_the_receiver_takes_messages_in_over_an_encrypted_connection(encrypted: str, tmp_path: Path) -> None:
    bot = door(tmp_path, f"{encrypted}?ssl_cert_reqs=none", Secrets.fresh())
    try:
        bot.services.wait_until_healthy()
    finally:
        bot.services.stop()
