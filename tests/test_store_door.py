"""The door: a message enters once, in order, for the right person, and nothing personal shows."""

import zlib

from redis import Redis

from pipeline.messages import Inbound
from pipeline.texts import trouble as texts
from sandbox.ledger import new_sid
from tests.redis_proxy import RedisProxy
from tests.service import ASHA, RAVI, Bot

ASHA_BY_ID = "whatsapp:IN.13491208655302741918"


def inbox(bot: Bot, address: str = ASHA) -> list[str]:
    return [entry.split(" ")[0] for entry in bot.redis.lrange(f"msme:inbox:{bot.key(address)}", 0, -1)]


def test_a_message_that_is_posted_again_enters_once(bot: Bot) -> None:
    inbound = Inbound(new_sid(), ASHA, "Hi")
    assert [bot.runtime.intake.take(inbound) for _ in range(3)] == ["taken", "again", "again"]
    assert inbox(bot) == [inbound.sid]


def test_a_message_posted_again_after_it_was_answered_is_not_answered_twice(bot: Bot) -> None:
    (sid,) = bot.hears("Hi")
    bot.attends()
    assert bot.runtime.intake.take(Inbound(sid, ASHA, "Hi")) == "again"
    bot.attends()
    assert len(bot.said()) == 1


def test_a_lost_answer_of_the_transaction_leaves_one_message(far_bot: Bot, proxy: RedisProxy) -> None:
    sid = new_sid()
    proxy.lose_answer_to(sid)
    assert far_bot.runtime.intake.take(Inbound(sid, ASHA, "Hi")) == "again"
    assert proxy.lost == 1 and inbox(far_bot) == [sid]


def test_a_message_enters_a_redis_that_has_forgotten_our_scripts(bot: Bot) -> None:
    bot.hears("Hi")
    bot.redis.script_flush()
    inbound = Inbound(new_sid(), ASHA, "again")
    assert [bot.runtime.intake.take(inbound) for _ in range(2)] == ["taken", "again"]
    assert inbox(bot)[1:] == [inbound.sid]


def test_messages_wait_in_the_order_of_their_arrival(bot: Bot) -> None:
    sids = bot.hears(*"abcdef")
    assert inbox(bot) == sids


def test_whoever_has_a_message_waiting_is_due_even_if_the_job_is_lost(bot: Bot) -> None:
    bot.hears("Hi")
    due_in = bot.due_in()
    assert due_in is not None and due_in <= 5


def test_a_message_wakes_a_worker_once_and_not_while_one_talks_with_the_person(bot: Bot) -> None:
    queue = bot.runtime.wakeups.queue
    (sid,) = bot.hears("Hi")
    assert bot.runtime.intake.take(Inbound(sid, ASHA, "Hi")) == "again"
    assert queue.job_ids == [sid]
    bot.takes()
    bot.hears("Asha Devi")
    assert queue.job_ids == [sid] and len(inbox(bot)) == 2
    bot.dies()
    (third,) = bot.hears("3")
    assert queue.job_ids == [sid, third]


def test_a_message_whose_answer_may_not_go_yet_is_due_when_it_may(bot: Bot) -> None:
    bot.hears("Hi")
    bot.attends()
    bot.runtime.wakeups.queue.empty()
    bot.passes(-10)
    bot.hears("Asha Devi")
    due_in = bot.due_in()
    assert bot.runtime.wakeups.queue.job_ids == [] and due_in is not None and 0 < due_in <= 11


def test_one_round_trip_makes_a_message_durable(far_bot: Bot, proxy: RedisProxy) -> None:
    far_bot.hears("Hi")
    before = proxy.round_trips
    far_bot.hears("again")
    assert proxy.round_trips - before == 1


def test_a_person_known_by_number_is_recognised_by_user_id(bot: Bot) -> None:
    bot.hears("Hi", external_id=ASHA_BY_ID)
    bot.hears("Asha Devi", address=ASHA_BY_ID)
    assert len(inbox(bot)) == 2 and inbox(bot, ASHA_BY_ID) == []


def test_a_person_known_by_user_id_is_recognised_by_number(bot: Bot) -> None:
    bot.hears("Hi", address=ASHA_BY_ID)
    bot.hears("Asha Devi", external_id=ASHA_BY_ID)
    assert len(inbox(bot, ASHA_BY_ID)) == 2 and inbox(bot) == []


def test_a_linked_person_is_answered_where_they_wrote_last(bot: Bot) -> None:
    bot.hears("Hi", external_id=ASHA_BY_ID)
    bot.hears("Asha Devi", address=ASHA_BY_ID)
    bot.attends_patiently(ASHA_BY_ID)
    bot.attends_patiently()
    assert (len(bot.said(ASHA)), len(bot.said(ASHA_BY_ID))) == (1, 1)


def test_two_people_are_not_joined_while_one_of_them_waits_for_us(bot: Bot) -> None:
    bot.hears("Hi", address=ASHA_BY_ID)
    bot.hears("Hi")
    bot.hears("Asha", external_id=ASHA_BY_ID)
    assert (len(inbox(bot)), len(inbox(bot, ASHA_BY_ID))) == (2, 1)
    bot.hears("Asha", address=ASHA_BY_ID)
    assert (len(inbox(bot)), len(inbox(bot, ASHA_BY_ID))) == (2, 2)


def test_strangers_have_nothing_in_common(bot: Bot) -> None:
    bot.hears("Hi")
    bot.hears("Hi", address=RAVI)
    assert (len(inbox(bot)), len(inbox(bot, RAVI))) == (1, 1)


def test_a_flood_is_cut_at_thirty_and_the_person_is_told_once(bot: Bot) -> None:
    bot.hears(*["Hi"] * 32)
    assert len(inbox(bot)) == 30 and bot.tally("flooded") == 2
    bot.attends_patiently(rounds=60)
    assert bot.said().count(texts.SLOW_DOWN) == 1 and len(bot.said()) == 31


def everything_in(redis: Redis) -> str:
    """All keys and values there are, what RQ has compressed unpacked."""
    found: list[bytes] = []
    for key in redis.keys("*"):
        kind = redis.type(key)
        found.append(key)
        if kind == b"string":
            found.append(redis.get(key))
        elif kind == b"list":
            found += redis.lrange(key, 0, -1)
        elif kind == b"hash":
            found += [part for pair in redis.hgetall(key).items() for part in pair]
        else:
            found += redis.zrange(key, 0, -1) if kind == b"zset" else list(redis.smembers(key))
    unpacked = [zlib.decompress(value) if value[:1] == b"x" else value for value in found]
    return b"\n".join(unpacked).decode(errors="replace")


def test_nothing_personal_stands_in_redis(bot: Bot, redis_url: str) -> None:
    bot.hears("Hi", "Asha Devi", "3", "400001", "9876543210", external_id=ASHA_BY_ID)
    with Redis.from_url(redis_url) as plain:
        waiting = everything_in(plain)
        bot.attends_patiently()
        answered = everything_in(plain)
    assert "pipeline.jobs.wake" in waiting and "msme:session:" in answered
    for kept in (waiting, answered):
        for personal in ("Asha", "Devi", "9876543210", "whatsapp:", "400001", "1349120865"):
            assert personal not in kept
