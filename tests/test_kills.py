"""Worker processes killed at the instants that hurt most, in the whole service: judged by what Twilio and the Auth API
saw. How long people waited is printed (`pytest -s`), not asserted: on a busy machine everything takes longer.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator

import pytest
from redis import Redis

from sandbox.faults import FaultPlan
from sandbox.laptop import Laptop
from sandbox.person import Person
from sandbox.status_callbacks import StatusPlan
from tests.outside import SMALL, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="worker processes are found through /proc")

WORDS = ("Hi", "Asha Devi", "3", "400001", "9876543210")
QUEUE, IN_BETWEEN = "rq:queue:msme", "rq:queue:msme:intermediate"
# Longer than anybody may wait: what has not come by then never comes.
PATIENCE = 90.0
# An attempt in doubt is settled after 15 s: a second message would have gone out by then.
SETTLED = 17.0


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """Two worker processes; whoever of them is killed is started again by their parent."""
    settings = {**SMALL, "WORKER_PROCESSES": "2", "WORKER_THREADS": "4"}
    with Laptop(tmp_path_factory.mktemp("kills"), settings=settings) as started:
        yield started


@pytest.fixture(autouse=True)
def healed(laptop: Laptop) -> Iterator[None]:
    """No fault outlives its test."""
    yield
    laptop.twilio.faults["send"] = laptop.auth.faults = FaultPlan()


class AskedFaults(FaultPlan):
    """A FaultPlan that remembers what it was asked about."""

    def next(self, request: str) -> tuple[str, float]:
        """As FaultPlan.next."""
        found = super().next(request)
        self.requests.append(request)
        return found

    def __post_init__(self) -> None:
        super().__post_init__()
        self.requests: list[str] = []


def registered_up_to(person: Person, words: tuple[str, ...]) -> None:
    for number, text in enumerate(words):
        person.say(text)
        person.wait_for_replies(number + 1, PATIENCE)


def kill_workers(laptop: Laptop) -> float:
    """kill -9 of all worker processes; when."""
    for pid in laptop.services.worker_children():
        os.kill(pid, signal.SIGKILL)
    return time.monotonic()


def test_killed_between_the_post_and_the_pop_it_is_not_sent_again(laptop: Laptop) -> None:
    asha = laptop.twilio.person("whatsapp:+919500000001")
    told, laptop.twilio.callbacks.plan = laptop.twilio.callbacks.plan, StatusPlan(statuses=())
    laptop.twilio.faults["send"] = FaultPlan(script=["hang_after"], hang_seconds=5)
    asha.say("Hi")
    until(lambda: asha.replies)
    killed_at = kill_workers(laptop)
    asha.say(WORDS[1])
    asha.wait_for_replies(2, PATIENCE)
    print(f"\nin doubt without a callback: the next reply {time.monotonic() - killed_at:.1f} s after the kill")
    laptop.twilio.callbacks.plan = told
    time.sleep(2)
    welcome, sector = asha.replies
    assert "full name" in welcome and "business sector" in sector


def test_killed_before_the_post_arrives_it_is_sent_once(laptop: Laptop) -> None:
    ravi = laptop.twilio.person("whatsapp:+919500000002")
    asked = AskedFaults(script=["hang_before"], hang_seconds=5)
    laptop.twilio.faults["send"] = asked
    ravi.say("Hi")
    until(lambda: asked.requests)
    killed_at = kill_workers(laptop)
    ravi.wait_for_replies(1, PATIENCE)
    print(f"\nin doubt and never sent: the reply {time.monotonic() - killed_at:.1f} s after the kill")
    time.sleep(SETTLED)
    assert len(ravi.replies) == 1


def test_killed_between_the_auth_call_and_the_commit_no_second_otp_is_sent(laptop: Laptop) -> None:
    meena = laptop.twilio.person("whatsapp:+919500000003")
    registered_up_to(meena, WORDS)
    laptop.auth.faults = FaultPlan(script=["hang_after"], hang_seconds=5)
    meena.say("YES")
    until(lambda: laptop.auth.otps)
    killed_at = kill_workers(laptop)
    meena.wait_for_replies(6, PATIENCE)
    print(f"\nkilled with the OTP sent: told so {time.monotonic() - killed_at:.1f} s after the kill")
    assert "You are registered" in meena.replies[5] and len(meena.replies) == 6
    assert len(laptop.auth.otps) == 1 and len({call.idempotency_key for call in laptop.auth.calls}) == 1


def test_a_wake_up_stranded_between_queue_and_worker_is_made_good(laptop: Laptop) -> None:
    imran = laptop.twilio.person("whatsapp:+919500000004")
    laptop.services.stop("worker")
    imran.say("Hi")
    with Redis.from_url(laptop.valkey.url) as redis:
        assert redis.lmove(QUEUE, IN_BETWEEN, "RIGHT", "LEFT") is not None
        laptop.services.start("worker")
        started_at = time.monotonic()
        imran.wait_for_replies(1, PATIENCE)
    print(f"\na stranded wake-up: the reply {time.monotonic() - started_at:.1f} s after the workers' start")
    time.sleep(2)
    assert len(imran.replies) == 1


def test_when_all_worker_processes_die_at_once_everybody_is_answered_once(laptop: Laptop) -> None:
    served, other = (laptop.twilio.person(f"whatsapp:+91950000000{number}") for number in (5, 6))
    served.say("Hi")
    registered_up_to(other, WORDS[:1])
    served.wait_for_replies(1, PATIENCE)
    asked = AskedFaults(script=["hang_after"], hang_seconds=6)
    laptop.twilio.faults["send"] = asked
    served.say(WORDS[1])
    until(lambda: asked.requests)
    killed_at = kill_workers(laptop)
    other.say(WORDS[1])
    other.wait_for_replies(2, PATIENCE)
    print(f"\nsomebody else's reply {time.monotonic() - killed_at:.1f} s after the kill of every worker process")
    served.say(WORDS[2])
    served.wait_for_replies(3, PATIENCE)
    print(f"the next reply to whom they were serving {time.monotonic() - killed_at:.1f} s after the kill")
    assert (len(served.replies), len(other.replies)) == (3, 2)
