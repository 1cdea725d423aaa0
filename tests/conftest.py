"""What tests share: a Valkey server of the run, emptied for each test; a simulated Twilio and Auth API."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from sandbox.auth import FakeAuth
from sandbox.twilio import FakeTwilio
from sandbox.valkey import Valkey


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
