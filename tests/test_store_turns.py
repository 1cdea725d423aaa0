"""A person's lock and turns: one worker at a time, each turn whole and once, whatever answer of Redis is lost."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pipeline.errors import LockLostError
from pipeline.messages import Reply
from pipeline.session import Person, Session, Turn
from pipeline.store.turns import Hold, Standing
from pipeline.texts import trouble as texts
from tests.redis_proxy import RedisProxy
from tests.service import ASHA, Bot


def turn_of(standing: Standing, *words: str) -> Turn:
    """A turn that moves the person to the sector step and says these words."""
    assert standing.person is not None
    session = Session("sector", standing.now, standing.now)
    contact = replace(standing.person.contact, last_step="sector")
    return Turn(Person(session, contact), tuple(Reply(word) for word in words))


def test_while_one_worker_holds_a_person_no_other_does(bot: Bot) -> None:
    bot.hears("Hi")
    bot.takes()
    assert bot.runtime.turns.take(bot.key()) is None


def test_who_finds_the_lock_taken_leaves_the_person_due_when_it_has_run_out(bot: Bot) -> None:
    bot.hears("Hi")
    bot.takes()
    bot.runtime.turns.take(bot.key())
    due_in = bot.due_in()
    assert due_in is not None and 4 < due_in < 9


def test_the_lock_of_a_dead_worker_is_free_after_eight_seconds(bot: Bot) -> None:
    bot.hears("Hi")
    bot.takes()
    assert 4000 < bot.redis.pttl(f"msme:lock:{bot.key()}") <= 8000


def test_whoever_has_nothing_waiting_is_not_taken(bot: Bot) -> None:
    assert bot.runtime.turns.take(bot.key()) is None
    assert bot.redis.keys("msme:lock:*") == []


def test_a_lock_taken_with_a_lost_answer_is_ours(far_bot: Bot, proxy: RedisProxy) -> None:
    far_bot.hears("Hi")
    proxy.lose_answer_of("take")
    hold, standing = far_bot.takes()
    assert proxy.lost == 1 and standing.inbound is not None and standing.inbound.text == "Hi"
    assert far_bot.redis.get(f"msme:lock:{far_bot.key()}") == hold.token


def test_a_turn_committed_with_a_lost_answer_is_committed_once(far_bot: Bot, proxy: RedisProxy) -> None:
    far_bot.hears("Hi", "Asha Devi")
    hold, standing = far_bot.takes()
    proxy.lose_answer_of("commit")
    left = far_bot.commits(hold, standing, turn_of(standing, "one"), ["counted"])
    assert proxy.lost == 1 and left.inbound is not None and left.inbound.text == "Asha Devi"
    assert (left.replies_waiting, far_bot.tally("counted")) == (1, 1)


def test_a_turn_is_whole(bot: Bot) -> None:
    (sid,) = bot.hears("Hi")
    hold, standing = bot.takes()
    left = bot.commits(hold, standing, turn_of(standing, "one", "two"), ["counted"])
    assert left.person is not None and left.person.session is not None and left.person.contact.address == ASHA
    assert (left.sid, left.person.session.current_step, left.replies_waiting) == ("", "sector", 2)
    entries = [json.loads(entry) for entry in bot.redis.lrange(f"msme:outbox:{bot.key()}", 0, -1)]
    assert [entry["ref"] for entry in entries] == [f"{bot.key()}-{sid}-0", f"{bot.key()}-{sid}-1"]


def test_a_turn_without_a_message_is_committed_once(far_bot: Bot, proxy: RedisProxy) -> None:
    far_bot.redis.hset(f"msme:person:{far_bot.key()}", "timer", 1)
    far_bot.hears("Hi")
    hold, standing = far_bot.takes()
    left = far_bot.commits(hold, replace(standing, sid=""), turn_of(standing, "unasked"), [])
    assert (left.timer, left.replies_waiting) == ("", 1)
    far_bot.redis.hset(f"msme:person:{far_bot.key()}", "timer", 1)
    proxy.lose_answer_of("commit")
    left = far_bot.commits(hold, replace(standing, sid=""), turn_of(standing, "unasked"), [])
    assert proxy.lost == 1 and left.replies_waiting == 2 and left.sid == standing.sid


LATE: dict[str, Callable[[Bot, Hold, Standing], Any]] = {
    "commit": lambda bot, hold, standing: bot.commits(hold, standing, turn_of(standing, "late"), ["late"]),
    "erase": lambda bot, hold, standing: bot.runtime.turns.erase(hold, standing, turn_of(standing, "late"), ""),
    "say": lambda bot, hold, standing: bot.runtime.turns.say(hold, standing, Reply("late"), "slow", 60),
    "raised": lambda bot, hold, standing: bot.runtime.turns.raised(hold, standing, "late", Reply("late"), True),
    "release": lambda bot, hold, standing: bot.runtime.turns.release(hold, anyway=True),
    "attempt": lambda bot, hold, standing: bot.runtime.outboxes.attempt(hold),
    "settle": lambda bot, hold, standing: bot.runtime.outboxes.settle(hold, "late", "sent", sid="SM1"),
}


@pytest.mark.parametrize("deed", LATE)
def test_who_lost_the_lock_changes_nothing(bot: Bot, deed: str) -> None:
    bot.hears("Hi")
    lost, before = bot.takes()
    bot.dies()
    _, standing = bot.takes()
    watched = ("inbox", "outbox", "session", "contact", "lock")
    kept = {name: everything(bot, name) for name in watched}
    with pytest.raises(LockLostError):
        LATE[deed](bot, lost, before)
    assert {name: everything(bot, name) for name in watched} == kept and standing.sid == before.sid


def everything(bot: Bot, name: str) -> object:
    key = f"msme:{name}:{bot.key()}"
    return bot.redis.lrange(key, 0, -1) if bot.redis.type(key) == "list" else bot.redis.get(key)


def test_a_lock_is_given_back_when_nothing_waits(bot: Bot) -> None:
    bot.hears("Hi")
    hold, standing = bot.takes()
    bot.commits(hold, standing, turn_of(standing), [])
    assert bot.runtime.turns.release(hold, anyway=False) is False
    assert bot.redis.keys("msme:lock:*") == [] and bot.due_in() is None


def test_a_message_that_came_meanwhile_keeps_the_lock(bot: Bot) -> None:
    bot.hears("Hi")
    hold, standing = bot.takes()
    bot.commits(hold, standing, turn_of(standing), [])
    (sid,) = bot.hears("Asha Devi")
    left = bot.runtime.turns.release(hold, anyway=False)
    assert isinstance(left, Standing) and left.sid == sid


def test_who_has_enough_gives_the_lock_back_and_says_that_more_waits(bot: Bot) -> None:
    bot.hears("Hi")
    hold, _ = bot.takes()
    assert bot.runtime.turns.release(hold, anyway=True) is True
    due_in = bot.due_in()
    assert bot.redis.keys("msme:lock:*") == [] and due_in is not None and due_in <= 0


def test_a_lock_given_back_with_a_lost_answer_is_free_and_what_waits_is_due(far_bot: Bot, proxy: RedisProxy) -> None:
    far_bot.hears("Hi")
    hold, _ = far_bot.takes()
    proxy.lose_answer_of("release")
    with pytest.raises(LockLostError):
        far_bot.runtime.turns.release(hold, anyway=True)
    due_in = far_bot.due_in()
    assert far_bot.redis.keys("msme:lock:*") == [] and due_in is not None and due_in <= 0


def test_the_third_failure_sets_a_message_aside_and_tells_the_person(bot: Bot) -> None:
    poison, _ = bot.hears("boom", "Hi")
    hold, standing = bot.takes()
    asides = []
    for _ in range(3):
        is_aside, left = bot.runtime.turns.raised(hold, standing, "raised", Reply(texts.SOMETHING_WENT_WRONG), False)
        asides.append(is_aside)
    assert asides == [False, False, True] and left.inbound is not None and left.inbound.text == "Hi"
    record = json.loads(bot.redis.hget("msme:failed", poison) or "{}")
    assert (record["reason"], record["contact"]) == ("raised", bot.key())
    assert "boom" in bot.runtime.seal.open(record["sealed"], record["address"], f"inbox {poison}")


def test_setting_aside_with_a_lost_answer_tells_the_person_once(far_bot: Bot, proxy: RedisProxy) -> None:
    _, following = far_bot.hears("boom", "Hi")
    hold, standing = far_bot.takes()
    standing = far_bot.commits(hold, standing, turn_of(standing), [])
    proxy.lose_answer_of("raised")
    is_aside, left = far_bot.runtime.turns.raised(hold, standing, "raised", Reply("sorry"), at_once=True)
    assert proxy.lost == 1 and is_aside and left.sid == "" and left.replies_waiting == 1
    assert list(far_bot.redis.hkeys("msme:failed")) == [following]


def test_each_start_of_a_message_is_counted_and_the_next_message_begins_anew(bot: Bot) -> None:
    bot.hears("Hi", "Asha")
    for expected in (1, 2, 3):
        hold, standing = bot.takes()
        assert standing.starts == expected
        bot.dies()
    bot.redis.set(f"msme:lock:{bot.key()}", hold.token)
    assert bot.commits(hold, standing, turn_of(standing), []).starts == 1


def test_an_erasure_with_a_lost_answer_leaves_the_receipt_and_nothing_else(far_bot: Bot, proxy: RedisProxy) -> None:
    far_bot.hears("Hi")
    far_bot.attends()
    far_bot.passes(2)
    _, following = far_bot.hears("ERASE MY DATA", "Hi")
    hold, standing = far_bot.takes()
    proxy.lose_answer_of("erase")
    left = far_bot.runtime.turns.erase(hold, standing, turn_of(standing, "receipt"), "who did it")
    assert proxy.lost == 1 and (left.replies_waiting, left.sid) == (1, following)
    assert [far_bot.redis.exists(f"msme:{name}:{far_bot.key()}") for name in ("session", "contact", "alias")] == [0] * 3


def test_something_said_with_a_lost_answer_is_said_once(far_bot: Bot, proxy: RedisProxy) -> None:
    far_bot.hears("Hi")
    hold, standing = far_bot.takes()
    proxy.lose_answer_of("say")
    far_bot.runtime.turns.say(hold, standing, Reply("slow down"), "slow", 60)
    assert proxy.lost == 1 and far_bot.redis.llen(f"msme:outbox:{far_bot.key()}") == 1


def test_an_opt_out_noted_during_a_turn_survives_it(bot: Bot) -> None:
    bot.hears("Hi")
    hold, standing = bot.takes()
    bot.redis.hset("msme:optouts", bot.key(), 1)
    bot.commits(hold, standing, turn_of(standing), [])
    assert bot.redis.hexists("msme:optouts", bot.key())


def test_a_session_of_a_shape_we_do_not_know_blocks_nobody(bot: Bot) -> None:
    bot.hears("Hi")
    bot.attends()
    sealed = bot.runtime.seal.close(json.dumps({"current_step": "a step of next year"}), bot.key(), "session")
    bot.redis.set(f"msme:session:{bot.key()}", sealed)
    bot.passes(2)
    bot.hears("Hi")
    bot.attends()
    assert len(bot.said()) == 2 and texts.SESSION_LOST in bot.said()[1]


def test_a_message_of_a_shape_we_do_not_know_is_set_aside(bot: Bot) -> None:
    bot.hears("Hi")
    bot.attends()
    (sid,) = bot.hears("Asha Devi")
    newer = json.dumps({"sid": sid, "address": ASHA, "text": "Asha Devi", "field_of_next_year": 1})
    sealed = bot.runtime.seal.close(newer, bot.key(), f"inbox {sid}")
    bot.redis.lset(f"msme:inbox:{bot.key()}", 0, f"{sid} {bot.key()} {sealed}")
    bot.hears("Hi")
    bot.attends_patiently()
    assert bot.redis.hkeys("msme:failed") == [sid] and len(bot.said()) == 3


def test_who_was_erased_and_writes_again_is_remembered_again(bot: Bot) -> None:
    bot.hears("Hi")
    bot.attends()
    bot.passes(2)
    bot.hears("ERASE MY DATA")
    bot.attends()
    bot.passes(2)
    bot.hears("YES", "Hi")
    bot.attends_patiently()
    assert len(bot.said()) == 4 and bot.person()["step"] == "name"
