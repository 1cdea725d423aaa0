"""The doctor on a running service: nothing wrong is said to be wrong, and whatever is wrong is said, with the fix."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis

from pipeline import doctor
from sandbox.laptop import Laptop
from tests.outside import command, laptop_in, until

pytestmark = pytest.mark.xdist_group("doctor")


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with laptop_in(tmp_path_factory.mktemp("doctor")) as started:
        yield started


def findings(laptop: Laptop, *options: str, **changed: str) -> tuple[int, dict[str, tuple[bool, str]]]:
    """Exit code, and by name what was found."""
    done = command({**laptop.services.env, **changed}, "doctor", "--json", *options)
    return done.returncode, {one["name"]: (one["is_well"], one["words"]) for one in json.loads(done.stdout)}


def test_nothing_is_wrong_with_a_service_that_runs(laptop: Laptop) -> None:
    code, found = findings(laptop)
    assert [name for name, (is_well, _) in found.items() if not is_well] == [] and code == 0
    assert {"settings", "redis", "redis eviction", "redis persistence", "redis memory", "redis tls", "keys"} <= set(
        found
    )
    assert {"twilio", "sender", "webhook", "auth api", "workers", "clock", "queue", "our clock"} <= set(found)


def test_each_line_has_its_mark(laptop: Laptop) -> None:
    done = command(laptop.services.env, "doctor")
    assert done.stdout.count("✓") >= 15 and "✗" not in done.stdout and done.returncode == 0
    wrong = command({**laptop.services.env, "AUTH_API_URL": "http://127.0.0.1:9"}, "doctor")
    assert re.search(r"✗ auth api .*AUTH_API_URL", wrong.stdout) and wrong.returncode == 1


def test_the_probe_of_the_webhook_leaves_nothing_behind(laptop: Laptop) -> None:
    with Redis.from_url(laptop.valkey.url) as redis:
        before = redis.hget("msme:totals", "in")
        findings(laptop)
        assert redis.hget("msme:totals", "in") == before
        assert not [key for key in redis.scan_iter("msme:received:*") if key.endswith(32 * b"0")]


@pytest.mark.parametrize(
    ("name", "changed", "words"),
    [
        ("twilio", {"TWILIO_AUTH_TOKEN": "another", "TWILIO_API_KEY_SID": "", "TWILIO_API_KEY_SECRET": ""}, "refuses"),
        ("webhook", {"TWILIO_AUTH_TOKEN": "another"}, "signature was refused"),
        ("webhook", {"PUBLIC_URL": "http://127.0.0.1:9"}, "does not lead to us"),
        ("twilio", {"TWILIO_API_BASE_URL": "http://127.0.0.1:9"}, "cannot be reached"),
        ("redis", {"REDIS_URL": "redis://127.0.0.1:9"}, "REDIS_URL"),
        ("keys", {"CONTACT_SECRET": "another secret of at least 32 characters"}, "CONTACT_SECRET"),
    ],
)
def test_what_is_wrong_is_said(laptop: Laptop, name: str, changed: dict[str, str], words: str) -> None:
    code, found = findings(laptop, **changed)
    assert code == 1 and not found[name][0] and words in found[name][1]


def test_an_address_that_is_not_ours_is_found_out(laptop: Laptop) -> None:
    _, found = findings(laptop, PUBLIC_URL=laptop.auth.url)
    assert not found["webhook"][0] and "not as our receiver would" in found["webhook"][1]


def test_a_redis_that_forgets_is_found_out(laptop: Laptop) -> None:
    with Redis.from_url(laptop.valkey.url) as redis:
        redis.config_set("maxmemory-policy", "allkeys-lru")
        redis.config_set("appendonly", "no")
        _, found = findings(laptop)
        redis.config_set("maxmemory-policy", "noeviction")
        redis.config_set("appendonly", "yes")
    assert "noeviction" in found["redis eviction"][1] and not found["redis eviction"][0]
    assert "appendonly" in found["redis persistence"][1] and not found["redis persistence"][0]


def test_a_clock_that_is_not_there_is_missed(laptop: Laptop) -> None:
    laptop.services.kill("clock")
    with Redis.from_url(laptop.valkey.url) as redis:
        redis.delete("msme:alive:clock")
        _, found = findings(laptop)
        laptop.services.start("clock")
        until(lambda: bool(redis.exists("msme:alive:clock")))
    assert not found["clock"][0] and "pipeline clock" in found["clock"][1]


def test_settings_alone_need_nobody(laptop: Laptop, tmp_path: Path) -> None:
    code, found = findings(laptop, "--settings-only", REDIS_URL="redis://127.0.0.1:9")
    assert (code, list(found)) == (0, ["settings"])
    refused = command({**laptop.services.env, "PUBLIC_URL": ""}, "doctor", "--settings-only")
    assert refused.returncode == 1 and "PUBLIC_URL" in refused.stderr


def test_clocks_may_be_a_little_apart() -> None:
    now = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    for seconds, is_well in ((4, True), (6, False), (-6, False)):
        theirs = (now + timedelta(seconds=seconds)).timestamp()
        assert doctor.skew("a clock", theirs, now.timestamp).is_well is is_well


@pytest.mark.parametrize(
    ("url", "is_well"),
    [
        ("redis://localhost", True),
        ("redis://redis:6379", True),
        ("redis://10.0.0.7", True),
        ("rediss://far.example.com", True),
        ("redis://far.example.com", False),
        ("redis://8.8.8.8", False),
    ],
)
def test_redis_across_a_network_wants_tls(url: str, is_well: bool) -> None:
    assert doctor.tls(url).is_well is is_well
