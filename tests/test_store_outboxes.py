"""What may be done with the head of an outbox: each attempt recorded first, in pace, and settled once."""

import json

import pytest

from pipeline.store.outboxes import SETTLE_SECONDS, Verdict
from pipeline.store.turns import Hold
from sandbox.auth import FakeAuth
from sandbox.twilio import FakeTwilio
from tests.redis_proxy import RedisProxy
from tests.service import Bot
from tests.test_store_turns import turn_of


def ready(bot: Bot, *words: str, address: str = "whatsapp:+919876543210") -> Hold:
    """A hold of somebody in whose outbox these words wait."""
    bot.hears("Hi", address=address)
    hold, standing = bot.takes(address)
    bot.commits(hold, standing, turn_of(standing, *words), [])
    return hold


def sent(bot: Bot, hold: Hold, verdict: Verdict, sid: str = "SM1") -> None:
    assert verdict.says == "go" and verdict.waiting is not None
    bot.runtime.outboxes.settle(hold, verdict.waiting.reference, "sent", sid=sid)


def test_replies_go_in_the_order_in_which_they_were_said(bot: Bot) -> None:
    hold = ready(bot, "one", "two")
    texts = []
    for number in range(2):
        verdict = bot.runtime.outboxes.attempt(hold)
        assert verdict.waiting is not None
        texts.append(verdict.waiting.text)
        sent(bot, hold, verdict, f"SM{number}")
        bot.passes(1)
    assert texts == ["one", "two"] and bot.runtime.outboxes.attempt(hold).says == "empty"


def test_a_recorded_attempt_is_not_repeated_before_it_is_fifteen_seconds_old(bot: Bot) -> None:
    hold = ready(bot, "one")
    assert bot.runtime.outboxes.attempt(hold).says == "go"
    again = bot.runtime.outboxes.attempt(hold)
    assert again.says == "wait" and 5_000 < again.wait_ms <= SETTLE_SECONDS * 1000
    bot.passes(SETTLE_SECONDS)
    assert bot.runtime.outboxes.attempt(hold).says == "doubt"


def test_an_attempt_recorded_with_a_lost_answer_is_in_doubt_and_not_posted(far_bot: Bot, proxy: RedisProxy) -> None:
    hold = ready(far_bot, "one")
    proxy.lose_answer_of("attempt")
    assert far_bot.runtime.outboxes.attempt(hold).says == "wait" and proxy.lost == 1


def test_a_message_settled_with_a_lost_answer_is_popped_once(far_bot: Bot, proxy: RedisProxy) -> None:
    hold = ready(far_bot, "one", "two")
    verdict = far_bot.runtime.outboxes.attempt(hold)
    proxy.lose_answer_of("settle")
    sent(far_bot, hold, verdict)
    assert proxy.lost == 1 and far_bot.redis.llen(f"msme:outbox:{far_bot.key()}") == 1
    assert far_bot.tally("out") == 1


def test_a_refusal_settled_with_a_lost_answer_is_counted_once(far_bot: Bot, proxy: RedisProxy) -> None:
    hold = ready(far_bot, "one")
    verdict = far_bot.runtime.outboxes.attempt(hold)
    assert verdict.waiting is not None
    proxy.lose_answer_of("settle")
    far_bot.runtime.outboxes.settle(hold, verdict.waiting.reference, "again", code=20429, wait_ms=1000)
    assert proxy.lost == 1 and far_bot.person()["tries"] == "1"


def test_a_dropped_message_stands_sealed_in_the_failed_list(bot: Bot) -> None:
    hold = ready(bot, "something personal")
    verdict = bot.runtime.outboxes.attempt(hold)
    assert verdict.waiting is not None
    bot.runtime.outboxes.settle(hold, verdict.waiting.reference, "drop", code=21211, reason="unreachable")
    (record,) = bot.failures()
    assert (record["reason"], record["code"], record["contact"]) == ("unreachable", 21211, bot.key())
    assert "something personal" in bot.runtime.seal.open(record["sealed"], bot.key(), "outbox")


def test_a_callback_that_carried_the_reference_settles_the_attempt(bot: Bot) -> None:
    hold = ready(bot, "one")
    verdict = bot.runtime.outboxes.attempt(hold)
    assert verdict.waiting is not None
    bot.redis.hset(f"msme:status:{bot.key()}", verdict.waiting.reference, "3 sent SM1 0 1")
    assert bot.runtime.outboxes.attempt(hold).says == "known" and bot.tally("settled_by_callback") == 1
    assert bot.runtime.outboxes.attempt(hold).says == "empty" and bot.runtime.outboxes.claimed_sids(hold) == {"SM1"}


def test_one_person_gets_one_message_a_second_at_most(bot: Bot) -> None:
    hold = ready(bot, "one", "two")
    sent(bot, hold, bot.runtime.outboxes.attempt(hold))
    bot.passes(-10)
    waits = bot.runtime.outboxes.attempt(hold)
    assert waits.says == "wait" and waits.wait_ms <= 11_000
    bot.passes(11)
    assert bot.runtime.outboxes.attempt(hold).says == "go"


def test_one_sender_sends_so_many_messages_in_any_second(
    redis_url: str, fake_twilio: FakeTwilio, fake_auth: FakeAuth
) -> None:
    bot = Bot.start(redis_url, fake_twilio, fake_auth, twilio_messages_per_second=5)
    holds = [ready(bot, "one", address=f"whatsapp:+9198000000{number:02}") for number in range(10)]
    says = []
    for hold in holds:
        says.append(bot.runtime.outboxes.attempt(hold).says)
        # However slow this machine is, it all happens within one second.
        bot.passes(-10)
    assert says == ["go"] * 5 + ["pace"] * 5
    bot.passes(200)
    assert [bot.runtime.outboxes.attempt(hold).says for hold in holds[5:]] == ["go"] * 5
    bot.close()


def test_a_day_after_the_last_message_nothing_may_be_posted(bot: Bot) -> None:
    hold = ready(bot, "one")
    bot.passes(24 * 3600)
    assert bot.runtime.outboxes.attempt(hold).says == "closed"


def test_while_sending_is_stopped_one_message_in_thirty_seconds_tries(bot: Bot) -> None:
    asha, ravi = ready(bot, "one"), ready(bot, "one", address="whatsapp:+919812345678")
    verdict = bot.runtime.outboxes.attempt(asha)
    assert verdict.waiting is not None
    bot.runtime.outboxes.settle(asha, verdict.waiting.reference, "stop", code=20003, wait_ms=30_000)
    waits = bot.runtime.outboxes.attempt(ravi)
    assert waits.says == "wait" and 15_000 < waits.wait_ms <= 30_000
    bot.passes(30)
    assert [bot.runtime.outboxes.attempt(hold).says for hold in (ravi, asha)] == ["go", "wait"]


@pytest.mark.parametrize("damaged", ["not sealed", "00000000:gAAAA"])
def test_a_reply_that_cannot_be_opened_is_shown_as_such(bot: Bot, damaged: str) -> None:
    hold = ready(bot)
    bot.redis.rpush(f"msme:outbox:{bot.key()}", json.dumps({"ref": "r", "at": 1, "body": damaged}))
    verdict = bot.runtime.outboxes.attempt(hold)
    assert verdict.waiting is not None and verdict.waiting.text is None
