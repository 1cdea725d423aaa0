"""What tests share: a Valkey server of the run, emptied for each test; a simulated Twilio and Auth API."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from redis import Redis

from pipeline import delivery
from sandbox.auth import FakeAuth
from sandbox.environment import environment
from sandbox.twilio import FakeTwilio
from sandbox.valkey import Valkey
from tests.redis_proxy import RedisProxy
from tests.service import OWN, Bot


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Valkey server that lives as long as the test run."""
    folder: Path = tmp_path_factory.mktemp("valkey")
    with Valkey(folder) as valkey:
        yield valkey.url


@pytest.fixture
def redis_url(valkey_url: str) -> str:
    """The URL of an empty Valkey server."""
    with Redis.from_url(valkey_url) as client:
        client.flushall()
    return valkey_url


@pytest.fixture
def fake_twilio() -> Iterator[FakeTwilio]:
    """A simulated Twilio; its `webhook_url` is for the test to set."""
    with FakeTwilio() as twilio:
        yield twilio


@pytest.fixture
def fake_auth() -> Iterator[FakeAuth]:
    """A simulated Auth API."""
    with FakeAuth() as auth:
        yield auth


@pytest.fixture
def no_naps(monkeypatch: pytest.MonkeyPatch) -> None:
    """What must wait a moment for the pace becomes due instead, so that `Bot.passes` can have it come at once."""
    monkeypatch.setattr(delivery, "_NAP_MS", 0)


@pytest.fixture
def bot(redis_url: str, fake_twilio: FakeTwilio, fake_auth: FakeAuth, no_naps: None) -> Iterator[Bot]:
    """A worker that does one thing at a time, against the simulators."""
    started = Bot.start(redis_url, fake_twilio, fake_auth)
    yield started
    started.close()


@pytest.fixture
def proxy(redis_url: str) -> Iterator[RedisProxy]:
    """A wire to Redis that can lose answers."""
    with RedisProxy(redis_url) as wire:
        yield wire


@pytest.fixture
def far_bot(proxy: RedisProxy, fake_twilio: FakeTwilio, fake_auth: FakeAuth, no_naps: None) -> Iterator[Bot]:
    """A worker behind the wire of `proxy`."""
    started = Bot.start(proxy.url, fake_twilio, fake_auth)
    yield started
    started.close()


@pytest.fixture
def web(redis_url: str, fake_twilio: FakeTwilio, fake_auth: FakeAuth, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, which reads the environment when it is imported."""
    chosen = environment(
        port=9, redis_url=redis_url, twilio_url=fake_twilio.url, auth_url=fake_auth.url, account=fake_twilio.account,
        own=OWN,
    )  # fmt: skip
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    return importlib.import_module("web")
