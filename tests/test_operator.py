"""The command line as an operator uses it on a running service: one person, the failed list, the audit list."""

import json
import re
from collections.abc import Iterator
from itertools import count
from subprocess import CompletedProcess

import pytest
from redis import Redis

from pipeline.texts import en
from sandbox.faults import FaultPlan
from sandbox.laptop import Laptop
from sandbox.person import Person
from tests.outside import command, in_redis, key_of, laptop_in, until

pytestmark = pytest.mark.xdist_group("operator")

_NUMBERS = count(9855500001)
STRANGER = "whatsapp:+919800000000"


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with laptop_in(tmp_path_factory.mktemp("operator")) as started:
        yield started


@pytest.fixture
def asha(laptop: Laptop) -> Person:
    """Somebody who has told her name."""
    person = laptop.twilio.person(f"whatsapp:+91{next(_NUMBERS)}")
    for number, text in enumerate(("Hi", "Asha Devi"), 1):
        person.say(text)
        person.wait_for_replies(number)
    return person


def run(laptop: Laptop, *words: str, typed: str = "") -> "CompletedProcess[str]":
    return command(laptop.services.env, *words, typed=typed)


def key(laptop: Laptop, person: Person) -> str:
    return key_of(laptop.services.env, person.address)


def audited(laptop: Laptop) -> list[tuple[str, str]]:
    """What was done and about whom, newest first."""
    with Redis.from_url(laptop.valkey.url) as redis:
        lines = [json.loads(line) for line in redis.lrange("msme:audit", 0, -1)]
    return [(line["what"], line["about"]) for line in lines]


def test_a_person_is_shown_without_anything_personal_unless_it_is_asked_for(laptop: Laptop, asha: Person) -> None:
    done = run(laptop, "contact", "show", asha.address, "--json")
    (row,) = json.loads(done.stdout)
    assert (row["contact"], row["step"]) == (key(laptop, asha), "sector")
    assert "Asha" not in done.stdout and asha.address not in done.stdout
    assert ("reveal", key(laptop, asha)) not in audited(laptop)

    (row,) = json.loads(run(laptop, "contact", "show", key(laptop, asha), "--reveal", "--json").stdout)
    assert (row["name"], row["address"]) == ("Asha Devi", asha.address)
    assert audited(laptop)[0] == ("reveal", key(laptop, asha))
    assert "sector" in run(laptop, "contact", "show", asha.address).stdout


def test_the_team_answers_a_person(laptop: Laptop, asha: Person) -> None:
    done = run(laptop, "contact", "reply", asha.address, "We have looked into it.")
    assert done.returncode == 0 and key(laptop, asha) in done.stdout
    assert asha.wait_for_replies(3)[2] == "We have looked into it."
    assert audited(laptop)[0] == ("reply", key(laptop, asha))


def test_a_person_is_erased_by_an_operator(laptop: Laptop, asha: Person) -> None:
    refused = run(laptop, "contact", "erase", asha.address, typed="n\n")
    assert refused.returncode != 0
    done = run(laptop, "contact", "erase", asha.address, typed="y\n")
    receipt = re.search(r"DEL-[0-9A-F]{10}", done.stdout)[0]
    mark = key(laptop, asha).encode()
    everything = in_redis(laptop.valkey.url).items()
    assert not [name for name, values in everything if mark in name or any(mark in value for value in values)]
    assert audited(laptop)[0] == ("erase", receipt)
    assert len(asha.replies) == 2
    asha.say("Hi")
    assert en.NOTICE in asha.wait_for_replies(3)[2]


@pytest.mark.parametrize("deed", [("show",), ("erase", "--yes"), ("reply", "Hello")])
def test_nobody_is_made_by_looking_for_them(laptop: Laptop, deed: tuple[str, ...]) -> None:
    done = run(laptop, "contact", deed[0], STRANGER, *deed[1:])
    assert done.returncode == 1 and "Nothing is kept" in done.stderr and "Traceback" not in done.stderr
    mark = key_of(laptop.services.env, STRANGER).encode()
    assert not [name for name in in_redis(laptop.valkey.url) if mark in name]


def test_a_reply_that_failed_is_listed_shown_retried_and_dropped(laptop: Laptop, asha: Person) -> None:
    def fail(text: str) -> str:
        laptop.twilio.faults["send"] = FaultPlan(refusals={asha.address: 63024})
        with Redis.from_url(laptop.valkey.url, decode_responses=True) as redis:
            before = set(redis.hkeys("msme:failed"))
            asha.say(text)
            until(lambda: set(redis.hkeys("msme:failed")) - before)
            (new,) = set(redis.hkeys("msme:failed")) - before
        laptop.twilio.faults["send"] = FaultPlan()
        return new

    first, second = fail("STATUS"), fail("HELP")
    rows = {row["id"]: row for row in json.loads(run(laptop, "failed", "list", "--json").stdout)}
    assert (rows[first]["code"], rows[first]["reason"]) == (63024, "unreachable")
    assert rows[first]["contact"] == key(laptop, asha)

    (row,) = json.loads(run(laptop, "failed", "show", first, "--json").stdout)
    assert "WhatsApp cannot reach this person" in row["advice"] and "text" not in row
    (row,) = json.loads(run(laptop, "failed", "show", first, "--reveal", "--json").stdout)
    assert "Asha Devi" in row["text"] and audited(laptop)[0] == ("reveal", key(laptop, asha))

    assert run(laptop, "failed", "retry", first).returncode == 0
    assert asha.wait_for_replies(3)[2] == row["text"]
    assert run(laptop, "failed", "drop", second).returncode == 0
    left = {row["id"] for row in json.loads(run(laptop, "failed", "list", "--json").stdout)}
    assert not {first, second} & left
    for deed in ("show", "retry", "drop"):
        gone = run(laptop, "failed", deed, first)
        assert gone.returncode == 1 and "no such failure" in gone.stderr


def test_stats_and_queue_for_machines_and_for_people(laptop: Laptop, asha: Person) -> None:
    told = json.loads(run(laptop, "stats", "--json").stdout)
    assert told["step_distribution"]["sector"] >= 1 and told["messages"]["in"] >= 2
    drawn = run(laptop, "stats")
    assert drawn.returncode == 0 and "Funnel" in drawn.stdout and "confirmation" in drawn.stdout
    queue = run(laptop, "queue", "--json")
    assert queue.returncode == 0 and json.loads(queue.stdout)[0]["workers"] >= 1
