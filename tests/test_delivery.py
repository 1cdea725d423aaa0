"""Saying each reply once: whatever Twilio answers or does not answer, and whenever a worker dies."""

import json
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from pipeline import delivery
from pipeline.errors import LockLostError
from pipeline.messages import DeliveryStatus
from pipeline.store import outboxes
from pipeline.store.statuses import Statuses
from pipeline.store.turns import Hold
from pipeline.texts import trouble as texts
from pipeline.twilio_api import rest
from sandbox.faults import FaultPlan
from tests.service import ASHA, RAVI, Bot
from tests.test_store_turns import turn_of


def welcomed(bot: Bot, address: str = ASHA) -> None:
    bot.hears("Hi", address=address)
    bot.attends(address)


def to_say(bot: Bot, *words: str) -> Hold:
    """A hold of Asha, in whose outbox these words wait."""
    bot.hears("Hi")
    hold, standing = bot.takes()
    bot.commits(hold, standing, turn_of(standing, *words), [])
    return hold


FAULTS = (
    *("ok", "429", "500", "502", "503", "504", "500_after", "dropped_before", "dropped_after", "empty", "unreadable"),
    *("hang_before", "hang_after"),
)


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_goes_wrong_each_reply_arrives_once_and_in_order(
    bot: Bot, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "_TIMEOUT_SECONDS", 0.1)
    bot.twilio.faults["send"] = FaultPlan(script=[fault, "ok", fault], hang_seconds=0.3)
    bot.runtime.turns.release(to_say(bot, "one", "two", "three"), anyway=True)
    bot.attends_patiently(rounds=12)
    assert bot.said() == ["one", "two", "three"]


def test_a_refused_connection_is_tried_again_soon(bot: Bot) -> None:
    bot.twilio.server.stop()
    welcomed(bot)
    due_in = bot.due_in()
    assert bot.said() == [] and due_in is not None and due_in <= 1.6
    bot.twilio.server.start()
    bot.attends_patiently()
    assert len(bot.said()) == 1


def test_the_wait_that_twilio_asks_for_is_kept(bot: Bot) -> None:
    bot.twilio.faults["send"] = FaultPlan(script=["429"], retry_after=40)
    welcomed(bot)
    due_in = bot.due_in()
    assert due_in is not None and 20 < due_in <= 41


def test_no_wait_that_twilio_asks_for_is_longer_than_an_answer_is_worth(bot: Bot) -> None:
    bot.twilio.faults["send"] = FaultPlan(script=["503"], retry_after=10**9)
    welcomed(bot)
    due_in = bot.due_in()
    assert due_in is not None and due_in <= 3600


def test_the_waits_grow_to_a_minute(bot: Bot) -> None:
    bot.twilio.faults["send"] = FaultPlan(script=["503"] * 12, retry_after=0)
    welcomed(bot)
    waits = []
    for _ in range(11):
        waits.append(bot.due_in() or 0)
        bot.passes(91)
        bot.attends()
    assert waits[0] <= 1.6 and max(waits) <= 91 and min(waits[7:]) > 59


def test_after_a_crash_before_the_post_it_is_sent_once(bot: Bot) -> None:
    hold = to_say(bot, "one")
    assert bot.runtime.outboxes.attempt(hold).says == "go"
    bot.dies()
    bot.attends_patiently()
    assert bot.said() == ["one"]


def test_after_a_crash_behind_the_post_it_is_not_sent_again(bot: Bot) -> None:
    hold = to_say(bot, "one")
    waiting = bot.runtime.outboxes.attempt(hold).waiting
    assert waiting is not None and waiting.text is not None
    bot.runtime.twilio.send(waiting.address, waiting.text, waiting.reference)
    bot.dies()
    bot.attends()
    assert bot.waiting() == 1, "an attempt that is young is left alone"
    bot.attends_patiently()
    assert bot.said() == ["one"] and bot.waiting() == 0


def test_a_callback_settles_an_attempt_at_once(bot: Bot) -> None:
    hold = to_say(bot, "one")
    waiting = bot.runtime.outboxes.attempt(hold).waiting
    assert waiting is not None and waiting.text is not None
    sid = bot.runtime.twilio.send(waiting.address, waiting.text, waiting.reference)
    bot.dies()
    Statuses(bot.runtime.redis).note(DeliveryStatus(waiting.reference, sid, "sent"), None)
    bot.attends()
    assert bot.said() == ["one"] and bot.waiting() == 0


def test_the_same_words_said_twice_on_purpose_arrive_twice_whichever_is_in_doubt(bot: Bot) -> None:
    for script in (["ok", "dropped_before"], ["dropped_before", "ok"], ["dropped_after"] * 2, ["ok", "dropped_after"]):
        before = len(bot.said())
        bot.twilio.faults["send"] = FaultPlan(script=script)
        bot.runtime.turns.release(to_say(bot, "same", "same"), anyway=True)
        bot.attends_patiently()
        assert len(bot.said()) - before == 2, script


def test_words_of_long_ago_do_not_settle_an_attempt(bot: Bot) -> None:
    bot.runtime.twilio.send(ASHA, "one", f"{bot.key()}-x")
    bot.passes(90)
    bot.twilio.faults["send"] = FaultPlan(script=["dropped_before"])
    bot.runtime.turns.release(to_say(bot, "one"), anyway=True)
    bot.attends_patiently()
    assert bot.said() == ["one", "one"]


def test_while_the_list_cannot_be_read_nothing_is_sent_again(bot: Bot) -> None:
    bot.twilio.faults["send"] = FaultPlan(script=["dropped_after"])
    bot.twilio.faults["list"] = FaultPlan(script=["500", "dropped_before", "unreadable"])
    bot.runtime.turns.release(to_say(bot, "one"), anyway=True)
    for _ in range(4):
        bot.attends()
        bot.passes(16)
    assert bot.said() == ["one"] and bot.waiting() == 1
    bot.attends_patiently()
    assert bot.said() == ["one"] and bot.waiting() == 0


def passes(monkeypatch: pytest.MonkeyPatch, monotonic: Callable[[], float]) -> None:
    """Time, as those see it who record an attempt and make it."""
    for module in (delivery, outboxes):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=monotonic))


def test_a_worker_that_lost_its_lock_starts_no_post(bot: Bot) -> None:
    hold = to_say(bot, "one")
    bot.dies()
    bot.takes()
    with pytest.raises(LockLostError):
        delivery.deliver(bot.runtime, hold)
    assert bot.said() == []


def test_a_worker_that_froze_behind_the_record_of_its_attempt_does_not_post(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = to_say(bot, "one")
    steps = iter([0.0, 1.01])
    passes(monkeypatch, lambda: next(steps, 2.0))
    posted = []
    monkeypatch.setattr(bot.runtime.twilio, "send", lambda *sent: posted.append(sent) or "SM" + "1" * 32)
    monkeypatch.setattr(bot.runtime.outboxes, "settle", _stop_after(bot.runtime.outboxes.settle))
    with pytest.raises(_Stopped):
        delivery.deliver(bot.runtime, hold)
    assert posted == [] and "attempt" not in bot.person()


def test_after_a_slow_failure_twilio_is_given_a_moment_to_show_what_it_took(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = to_say(bot, "one")
    bot.twilio.faults["send"] = FaultPlan(script=["dropped_after"])
    moments = iter([0.0, 0.1])
    passes(monkeypatch, lambda: next(moments, 20.0))
    delivery.deliver(bot.runtime, hold)
    assert 4000 < int(bot.person()["out_due"]) - time.time() * 1000 <= 5000


class _Stopped(Exception):
    pass


def _stop_after(settle):  # type: ignore[no-untyped-def]
    def settled(*arguments: object, **more: object) -> None:
        settle(*arguments, **more)
        raise _Stopped

    return settled


def test_a_person_who_cannot_be_reached_is_recorded_and_blocks_nothing(bot: Bot) -> None:
    bot.twilio.faults["send"] = FaultPlan(refusals={ASHA: 63015})
    welcomed(bot)
    assert bot.waiting() == 0 and [(r["reason"], r["code"]) for r in bot.failures()] == [("unreachable", 63015)]


def test_a_person_who_opted_out_at_twilio_has_opted_out_here(bot: Bot) -> None:
    bot.twilio.faults["send"] = FaultPlan(refusals={ASHA: 21610})
    welcomed(bot)
    assert bot.redis.hexists("msme:optouts", bot.key()) and bot.waiting() == 0


def test_wrong_credentials_stop_all_sending_until_a_probe_succeeds(bot: Bot) -> None:
    bot.twilio.faults["send"] = FaultPlan(refusals={"*": 20003})
    welcomed(bot)
    welcomed(bot, RAVI)
    assert bot.redis.hget("msme:stopped", "code") == "20003" and (bot.waiting(), bot.waiting(RAVI)) == (1, 1)
    bot.twilio.faults["send"] = FaultPlan()
    bot.attends(RAVI)
    assert bot.said(RAVI) == [], "no probe before its time"
    bot.passes(30)
    bot.attends(RAVI)
    assert len(bot.said(RAVI)) == 1 and not bot.redis.exists("msme:stopped")
    bot.attends()
    assert len(bot.said()) == 1


def test_while_sending_is_stopped_only_the_probe_reaches_twilio(bot: Bot) -> None:
    bot.twilio.faults["send"] = asked = FaultPlan(refusals={"*": 20003})
    for number in range(5):
        welcomed(bot, f"whatsapp:+91980000000{number}")
    bot.passes(30)
    for number in range(5):
        bot.attends(f"whatsapp:+91980000000{number}")
    # The fault plan is asked once a request.
    assert sum(asked._asked.values()) == 2


def test_what_cannot_be_said_within_a_day_goes_to_the_failed_list(bot: Bot) -> None:
    bot.twilio.faults["send"] = FaultPlan(script=["503"] * 3)
    welcomed(bot)
    bot.passes(24 * 3600)
    bot.attends()
    assert bot.said() == [] and bot.waiting() == 0 and [r["reason"] for r in bot.failures()] == ["outside window"]


def test_a_late_reply_opens_with_an_apology(bot: Bot) -> None:
    bot.twilio.faults["send"] = FaultPlan(script=["503"])
    welcomed(bot)
    bot.passes(601)
    bot.attends()
    (said,) = bot.said()
    assert said.startswith(texts.LATE)


def test_a_late_reply_in_doubt_is_found_with_its_apology(bot: Bot) -> None:
    bot.twilio.faults["send"] = FaultPlan(script=["503", "dropped_after"])
    welcomed(bot)
    bot.passes(601)
    bot.attends_patiently()
    assert len(bot.said()) == 1


def fails(bot: Bot, code: int = 63018) -> None:
    """Twilio tells that what was said last to Asha could not be delivered."""
    ref, status = next(iter(bot.redis.hgetall(f"msme:status:{bot.key()}").items()))
    decision = "retry" if code == 63018 else "drop"
    Statuses(bot.runtime.redis).note(DeliveryStatus(ref, status.split(" ")[2], "failed", code), decision)


def test_what_failed_in_passing_is_sent_once_more(bot: Bot) -> None:
    welcomed(bot)
    fails(bot)
    bot.attends()
    assert len(bot.said()) == 1, "not at once"
    bot.passes(61)
    bot.attends()
    assert len(bot.said()) == 2 and len(set(bot.said())) == 1
    (again,) = [ref for ref in bot.redis.hkeys(f"msme:status:{bot.key()}") if ref.endswith("-again")]
    Statuses(bot.runtime.redis).note(DeliveryStatus(again, "SM" + "2" * 32, "failed", 63018), "retry")
    bot.passes(61)
    bot.attends()
    assert len(bot.said()) == 2


def test_what_failed_is_not_sent_again_when_something_newer_was_said(bot: Bot) -> None:
    welcomed(bot)
    fails(bot)
    bot.passes(2)
    bot.hears("Asha Devi")
    bot.attends()
    bot.passes(61)
    bot.attends()
    assert len(bot.said()) == 2 and len(set(bot.said())) == 2


def test_what_failed_is_not_sent_again_when_there_is_something_new_to_say(bot: Bot) -> None:
    welcomed(bot)
    fails(bot)
    bot.passes(61)
    bot.hears("Asha Devi")
    bot.attends_patiently()
    assert len(bot.said()) == 2 and "Asha Devi" in bot.said()[1]


def test_what_failed_for_good_is_not_sent_again(bot: Bot) -> None:
    welcomed(bot)
    fails(bot, 63013)
    bot.passes(61)
    bot.attends()
    assert len(bot.said()) == 1 and bot.failures()[0]["code"] == 63013


def test_a_reply_that_cannot_be_opened_blocks_nobody(bot: Bot) -> None:
    hold = to_say(bot)
    bot.redis.rpush(f"msme:outbox:{bot.key()}", json.dumps({"ref": f"{bot.key()}-x", "at": 1, "body": "damaged"}))
    bot.runtime.turns.release(hold, anyway=True)
    bot.hears("Hi")
    bot.attends_patiently()
    assert len(bot.said()) == 1 and [record["reason"] for record in bot.failures()] == ["cannot be opened"]


def test_a_short_wait_for_the_pace_is_slept_and_a_long_one_is_not(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_NAP_MS", 400)
    pace = f"msme:pace:{bot.key(bot.runtime.settings.twilio_whatsapp_number)}"
    hold = to_say(bot, "one")
    bot.redis.rpush(pace, *[round(time.time() * 1000) - 800] * 80)
    delivery.deliver(bot.runtime, hold)
    assert bot.said() == ["one"] and bot.waiting() == 0
    bot.passes(1)
    hold = to_say(bot, "two")
    bot.redis.delete(pace)
    bot.redis.rpush(pace, *[round(time.time() * 1000) + 5000] * 80)
    delivery.deliver(bot.runtime, hold)
    assert bot.said() == ["one"] and bot.waiting() == 1


def test_nobody_sleeps_until_the_next_reply_to_one_person_may_go(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_NAP_MS", 1000)
    monkeypatch.setattr(bot.runtime.stopping, "wait", lambda seconds: pytest.fail(f"slept for {seconds} s"))
    delivery.deliver(bot.runtime, to_say(bot, "one", "two"))
    assert bot.said() == ["one"] and bot.waiting() == 1
