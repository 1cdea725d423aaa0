"""How messages of ours fare: callbacks come twice, in any order, before the POST's answer, and for strangers."""

import json
from itertools import permutations

import pytest
from redis import Redis

from pipeline.errors import Decision
from pipeline.messages import DeliveryStatus
from pipeline.store.statuses import Statuses
from tests.service import Bot


@pytest.fixture
def statuses(bot: Bot, redis_url: str) -> Statuses:
    """The statuses of Asha, who was just welcomed."""
    bot.hears("Hi")
    bot.attends()
    return Statuses(Redis.from_url(redis_url))


def reference(bot: Bot) -> str:
    """Of what was said to Asha last."""
    return str(bot.redis.hkeys(f"msme:status:{bot.key()}")[-1])


def tell(bot: Bot, statuses: Statuses, status: str, code: int = 0, decision: Decision | None = None) -> str:
    return statuses.note(DeliveryStatus(reference(bot), "SM" + "1" * 32, status, code), decision)


def known(bot: Bot) -> str:
    return str(bot.redis.hget(f"msme:status:{bot.key()}", reference(bot))).split(" ")[1]


@pytest.mark.parametrize("order", list(permutations(["sent", "delivered", "read"])))
def test_in_whatever_order_they_come_the_highest_stays(bot: Bot, statuses: Statuses, order: tuple[str, ...]) -> None:
    for status in order:
        tell(bot, statuses, status)
    assert known(bot) == "read"


def test_the_same_status_again_changes_nothing(bot: Bot, statuses: Statuses) -> None:
    assert [tell(bot, statuses, "sent") for _ in range(3)] == ["noted", "old", "old"]
    assert bot.tally("status:sent") == 1


def test_a_word_that_is_no_status_and_a_stranger_leave_nothing(bot: Bot, statuses: Statuses) -> None:
    assert tell(bot, statuses, "exploded") == "unknown"
    stranger = "f" * 32
    assert statuses.note(DeliveryStatus(f"{stranger}-SM1-0", "SM1", "sent"), None) == "unknown"
    assert not bot.redis.exists(f"msme:status:{stranger}")


def test_a_failure_is_recorded_once_with_its_code(bot: Bot, statuses: Statuses) -> None:
    assert [tell(bot, statuses, "failed", 63016, "outside window") for _ in range(2)] == ["failed", "old"]
    assert [(record["reason"], record["code"]) for record in bot.failures()] == [("not delivered", 63016)]
    assert bot.tally("code:63016") == 1 and bot.due_in() is None


def test_who_blocked_us_has_opted_out(bot: Bot, statuses: Statuses) -> None:
    tell(bot, statuses, "failed", 63014, "opted out")
    assert bot.redis.hexists("msme:optouts", bot.key())


def test_a_passing_failure_wakes_the_person_later(bot: Bot, statuses: Statuses) -> None:
    tell(bot, statuses, "failed", 63018, "retry")
    due_in = bot.due_in()
    assert due_in is not None and 30 < due_in <= 60


def test_a_callback_before_the_answer_to_the_post_wakes_whoever_waits_for_it(bot: Bot, statuses: Statuses) -> None:
    ref = f"{bot.key()}-SM2-0"
    bot.redis.hset(f"msme:person:{bot.key()}", mapping={"attempt": ref, "attempted_at": 1, "out_due": 2**52})
    bot.redis.rpush(f"msme:outbox:{bot.key()}", json.dumps({"ref": ref}))
    statuses.note(DeliveryStatus(ref, "SM" + "2" * 32, "queued"), None)
    due_in = bot.due_in()
    assert due_in is not None and due_in <= 0
