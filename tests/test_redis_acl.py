"""`docs/redis.acl`: with these rights each process does all its work, and can do no more than that."""

import shlex
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from urllib.parse import urlsplit

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError

from pipeline import jobs
from pipeline.clock import PERIODIC, Clock
from pipeline.lean_worker import LeanWorker
from pipeline.runtime import Runtime
from sandbox.auth import FakeAuth
from sandbox.services import PROJECT
from sandbox.twilio import FakeTwilio
from sandbox.webhooks import sign
from tests.service import ASHA, Bot, settings_for

RULES = [shlex.split(line) for line in (PROJECT / "docs" / "redis.acl").read_text().splitlines()]
USERS = [rule[1] for rule in RULES]
BASE = "http://127.0.0.1:9"


def url_of(redis_url: str, user: str) -> str:
    """The server's URL with the name and password of this user."""
    password = next(part[1:] for rule in RULES if rule[1] == user for part in rule if part.startswith(">"))
    return f"redis://{user}:{password}@{urlsplit(redis_url).netloc}"


@pytest.fixture
def guarded(redis_url: str) -> Iterator[str]:
    """A server that knows these users."""
    with Redis.from_url(redis_url) as admin:
        for _, user, *rights in RULES:
            admin.execute_command("ACL", "SETUSER", user, "reset", *rights)
        yield redis_url
        admin.execute_command("ACL", "DELUSER", *USERS)


def worker_of(redis_url: str, twilio: FakeTwilio, auth: FakeAuth) -> Bot:
    """A bot whose runtime has the rights of a worker; the test looks on with all rights."""
    bot = Bot.start(redis_url, twilio, auth)
    bot.runtime.close()
    return replace(bot, runtime=Runtime.start(settings_for(url_of(redis_url, "worker"), twilio, auth)))


def test_a_conversation_needs_no_more_rights(
    web: ModuleType, guarded: str, fake_twilio: FakeTwilio, fake_auth: FakeAuth
) -> None:
    client = web.create_app(settings_for(url_of(guarded, "web"), fake_twilio, fake_auth)).test_client()
    bot = worker_of(guarded, fake_twilio, fake_auth)
    jobs.bind(bot.runtime)
    for number, text in enumerate(["Hi", "Asha Devi", "3", "400001", "9876543210", "YES"], 1):
        sid = f"SM{number:032x}"
        form = {"AccountSid": fake_twilio.account.sid, "MessageSid": sid, "From": ASHA, "Body": text}
        signature = sign(fake_twilio.account.auth_token, f"{BASE}/webhook", list(form.items()))
        assert client.post("/webhook", data=form, headers={"X-Twilio-Signature": signature}).status_code == 200
        LeanWorker(bot.runtime.wakeups.queue, Redis.from_url(url_of(guarded, "worker"))).work(burst=True)
        bot.passes(2)
    bot.attends_patiently()
    assert len(bot.said()) == 6 and "login" in bot.said()[-1]
    assert client.get("/health").json["services"]["redis"] == "healthy"
    bot.close()


def test_the_clock_needs_no_more_rights(guarded: str, fake_twilio: FakeTwilio, fake_auth: FakeAuth) -> None:
    clock = Clock(Redis.from_url(url_of(guarded, "clock")))
    clock.announce()
    clock.put_back(start_now=True)
    clock.tick()
    assert clock.server_id()
    bot = worker_of(guarded, fake_twilio, fake_auth)
    jobs.bind(bot.runtime)
    assert bot.runtime.wakeups.queue.count == len(PERIODIC)
    LeanWorker(bot.runtime.wakeups.queue, Redis.from_url(url_of(guarded, "worker"))).work(burst=True)
    assert bot.runtime.wakeups.queue.count == 0 and bot.runtime.wakeups.queue.failed_job_registry.count == 0
    bot.close()


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize(
    "command",
    ["FLUSHALL", "KEYS *", "CONFIG GET *", "GET another", "SET another 1", "ACL LIST", "SHUTDOWN"],
)
def test_whoever_takes_a_process_over_cannot_do_more_with_redis(guarded: str, user: str, command: str) -> None:
    with Redis.from_url(url_of(guarded, user)) as client, pytest.raises(NoPermissionError):
        client.execute_command(*command.split())
