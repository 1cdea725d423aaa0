"""Somebody who sends more than can be read: their own inbox is full, and nobody else notices."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from pipeline.texts import en, trouble
from sandbox.laptop import Laptop
from sandbox.person import Person
from tests.outside import key_of, laptop_in, until

pytestmark = pytest.mark.xdist_group("flood")

FLOODER = "whatsapp:+919877700001"


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with laptop_in(tmp_path_factory.mktemp("flood")) as started:
        yield started


def tallied(redis: "Redis[str]", name: str) -> int:
    return sum(int(redis.hget(key, name) or 0) for key in redis.scan_iter("msme:tally:*"))


def pour(person: Person, count: int) -> list[int | None]:
    """That many messages at once; how each was answered."""
    with ThreadPoolExecutor(8) as pool:
        return [delivery.status for delivery in pool.map(person.say, ["Hi"] * count)]


def test_a_flood_is_cut_told_once_counted_and_harms_nobody_else(laptop: Laptop) -> None:
    flooder, inbox = laptop.twilio.person(FLOODER), f"msme:inbox:{key_of(laptop.services.env, FLOODER)}"
    others = [laptop.twilio.person(f"whatsapp:+91987770010{number}") for number in range(5)]
    with Redis.from_url(laptop.valkey.url, decode_responses=True) as redis:
        laptop.services.stop("worker")
        assert pour(flooder, 36) == [200] * 36
        assert redis.llen(inbox) == 30
        assert (tallied(redis, "flooded"), tallied(redis, "in")) == (6, 30)

        assert [other.say("Hi").status for other in others] == [200] * 5
        laptop.services.start("worker")
        for other in others:
            assert other.wait_for_replies(1)[0].startswith(en.WELCOME)
        # They did not have to wait for the flood to be worked off.
        assert redis.llen(inbox) > 0
        assert tallied(redis, "flooded") == 6

        until(lambda: trouble.SLOW_DOWN in flooder.replies)
        assert set(pour(flooder, 40)) == {200}
        assert tallied(redis, "flooded") > 6
        said = len(flooder.replies)
        flooder.wait_for_replies(said + 3)
        assert flooder.replies.count(trouble.SLOW_DOWN) == 1

        others[0].say("Asha Devi")
        assert "Asha Devi" in others[0].wait_for_replies(2)[1]


def test_a_message_that_was_dropped_is_not_taken_when_it_is_posted_again(laptop: Laptop) -> None:
    flooder, inbox = laptop.twilio.person("whatsapp:+919877700002"), key_of(laptop.services.env, FLOODER[:-1] + "2")
    with Redis.from_url(laptop.valkey.url, decode_responses=True) as redis:
        laptop.services.stop("worker")
        pour(flooder, 30)
        dropped = flooder.say("one too many")
        redis.ltrim(f"msme:inbox:{inbox}", 0, 9)
        form = {"From": flooder.address, "MessageSid": dropped.sid, "AccountSid": laptop.twilio.account.sid}
        assert laptop.twilio.post_webhook([*form.items(), ("Body", "one too many")], dropped.sid).status == 200
        assert redis.llen(f"msme:inbox:{inbox}") == 10
