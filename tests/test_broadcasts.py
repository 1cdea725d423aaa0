"""Broadcasts: each recipient once through whatever happens, replies first, stopped at once when somebody says so."""

import re
from collections.abc import Iterator
from datetime import datetime

import pytest
from redis import Redis

from pipeline import broadcasts, care
from pipeline.attend import attend
from pipeline.broadcast import Content
from pipeline.draft import DraftError
from pipeline.messages import DeliveryStatus
from pipeline.store.statuses import Statuses
from pipeline.twilio_api import rest
from pipeline.twilio_api.codes import decision_of
from sandbox.faults import FaultPlan
from tests.crowd import TEMPLATE, hand_out, heard, made, pass_by, people, rows, serve, standing, started
from tests.redis_proxy import RedisProxy
from tests.service import Bot


def tell(bot: Bot, redis_url: str, address: str, status: str, code: int = 0) -> None:
    """Twilio says how the message sent last to this person fares."""
    message = bot.twilio.sent_to(address)[-1]
    reference = message.form["StatusCallback"].partition("ref=")[2]
    with Redis.from_url(redis_url) as plain:
        Statuses(plain).note(DeliveryStatus(reference, message.sid, status, code), decision_of(code))


def ninety_eight_before(bot: Bot, id_: str, failures: int) -> None:
    """As if so many had been served."""
    bot.redis.lpush(f"msme:broadcast_recent:{id_}", *[1] * failures, *[0] * (98 - failures))


def test_everybody_gets_it_once_in_their_own_words(bot: Bot) -> None:
    crowd = people(bot, 3)
    id_ = started(bot, "News for {name} in {sector}")
    serve(bot)
    assert [bot.said(address)[-1] for address in crowd] == [f"News for Asha {letter} in business" for letter in "ABC"]
    assert heard(bot, crowd) == [1, 1, 1]
    assert (standing(bot, id_).state, standing(bot, id_).sent) == ("done", 3)


def test_without_anybody_to_reach_it_is_done_at_once(bot: Bot) -> None:
    assert standing(bot, started(bot)).state == "done"


def test_only_those_at_the_step_get_it(bot: Bot) -> None:
    crowd = people(bot, 2)
    bot.hears("3", address=crowd[1])
    bot.attends_patiently(crowd[1])
    pass_by(bot, 2)
    started(bot, step="pincode")
    serve(bot)
    assert heard(bot, crowd) == [0, 1]


def test_the_preview_names_those_who_get_it(bot: Bot) -> None:
    crowd = people(bot, 4)
    bot.hears("STOP", address=crowd[0])
    bot.attends_patiently(crowd[0])
    bot.redis.zincrby("msme:people:sector", -25 * 3600_000, bot.key(crowd[1]))
    bot.redis.hincrby(f"msme:person:{bot.key(crowd[1])}", "last_in", -25 * 3600_000)
    free = broadcasts.preview(bot.runtime, _draft("News"))
    assert (free.recipients, free.in_window, free.outside_window, free.opted_out) == (2, 2, 1, 1)
    assert broadcasts.preview(bot.runtime, _draft(TEMPLATE)).recipients == 3
    started(bot)
    serve(bot)
    assert heard(bot, crowd) == [0, 0, 1, 1]


def test_more_strangers_than_meta_allows_are_warned_of(bot: Bot) -> None:
    bot.redis.zadd(
        "msme:people:name", {f"{number:032x}": bot.redis.time()[0] * 1000 - 90_000_000 for number in range(251)}
    )
    assert "META_DAILY_LIMIT" in broadcasts.preview(bot.runtime, _draft(TEMPLATE)).warning
    assert broadcasts.preview(bot.runtime, _draft("News")).warning == ""


def test_a_template_reaches_whoever_wrote_long_ago(bot: Bot) -> None:
    crowd = people(bot, 1)
    bot.redis.zincrby("msme:people:sector", -25 * 3600_000, bot.key(crowd[0]))
    bot.passes(25 * 3600)
    started(bot, TEMPLATE)
    serve(bot)
    form = bot.twilio.sent_to(crowd[0])[-1].form
    assert (form["ContentSid"], form["ContentVariables"]) == (TEMPLATE.content_sid, '{"1": "Asha A"}')


def test_many_with_the_same_moment_are_all_on_the_list(bot: Bot) -> None:
    moment = bot.redis.time()[0] * 1000
    bot.redis.zadd("msme:people:name", {f"{number:032x}": moment for number in range(7000)})
    id_ = started(bot)
    assert standing(bot, id_).total == 7000 and bot.redis.llen(f"msme:broadcast_queue:{id_}") == 7000


SCRIPTS = ("create", "control", "snapshot", "assign", "release")


@pytest.mark.parametrize("script", [*(f"broadcast_{name}" for name in SCRIPTS), "attempt", "settle"])
def test_a_lost_answer_of_redis_changes_nothing(far_bot: Bot, proxy: RedisProxy, script: str) -> None:
    crowd = people(far_bot, 3)
    proxy.lose_answer_of(script)
    id_ = started(far_bot)
    serve(far_bot, rounds=20)
    assert proxy.lost == 1
    assert heard(far_bot, crowd) == [1, 1, 1] and standing(far_bot, id_).state == "done"
    assert [deed.what for deed in far_bot.runtime.audit.newest()] == ["broadcast"]


@pytest.mark.parametrize("content", ["News", TEMPLATE], ids=["text", "template"])
@pytest.mark.parametrize("fault", ["500", "500_after", "dropped_before", "dropped_after", "empty", "hang_after"])
def test_an_unknown_outcome_is_found_out(
    bot: Bot, fault: str, content: str | Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "_TIMEOUT_SECONDS", 0.1)
    crowd = people(bot, 2)
    before = [len(bot.said(address)) for address in crowd]
    bot.twilio.faults["send"] = FaultPlan(script=[fault], hang_seconds=0.3)
    id_ = started(bot, content)
    serve(bot, rounds=25)
    assert [len(bot.said(address)) for address in crowd] == [count + 1 for count in before]
    assert (standing(bot, id_).state, standing(bot, id_).sent) == ("done", 2)


@pytest.mark.parametrize("fault", ["429", "503"])
def test_what_twilio_refuses_for_now_is_given_back_and_a_reply_goes_first(bot: Bot, fault: str) -> None:
    (asha,) = people(bot, 1)
    id_ = started(bot)
    (key,) = hand_out(bot)
    bot.twilio.faults["send"] = FaultPlan(script=[fault])
    attend(bot.runtime, key)
    assert bot.waiting(asha) == 0 and standing(bot, id_).open == 1
    bot.hears("HELP", address=asha)
    pass_by(bot, 2)
    bot.attends(asha)
    serve(bot)
    assert "News" in bot.said(asha)[-1] and "News" not in bot.said(asha)[-2]
    assert heard(bot, [asha]) == [1]


def test_a_message_that_waits_for_an_answer_comes_before_the_broadcast(bot: Bot) -> None:
    (asha,) = people(bot, 1)
    started(bot)
    hand_out(bot)
    bot.hears("HELP", address=asha)
    bot.attends(asha)
    assert heard(bot, [asha]) == [0]
    serve(bot)
    assert heard(bot, [asha]) == [1]


def test_a_recipient_whose_worker_died_before_the_start_is_handed_out_again(bot: Bot) -> None:
    crowd = people(bot, 2)
    id_ = started(bot)
    for key in hand_out(bot):
        bot.redis.hdel(f"msme:person:{key}", "broadcast")
    pass_by(bot, 31)
    serve(bot)
    assert heard(bot, crowd) == [1, 1] and standing(bot, id_).sent == 2


def test_a_worker_that_dies_with_the_message_in_the_outbox_is_replaced(bot: Bot) -> None:
    (asha,) = people(bot, 1)
    id_ = started(bot)
    hand_out(bot)
    hold, as_it_stands = bot.takes(asha)
    broadcasts.offer(bot.runtime, hold, as_it_stands).run(bot.runtime.redis)
    bot.dies(asha)
    serve(bot)
    assert heard(bot, [asha]) == [1] and standing(bot, id_).state == "done"


def test_a_start_that_died_half_way_is_started_again(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = people(bot, 3)
    id_ = made(bot)
    _interrupt(bot, monkeypatch, lambda: pytest.fail("killed"))
    with pytest.raises(pytest.fail.Exception):
        broadcasts.start(bot.runtime, id_)
    monkeypatch.undo()
    assert [found for found, _ in bot.runtime.broadcasts.to_start()] == [id_]
    broadcasts.start(bot.runtime, id_)
    serve(bot)
    assert heard(bot, crowd) == [1, 1, 1] and standing(bot, id_).total == 3


def test_nobody_is_forgotten_when_it_is_paused_and_resumed_while_its_list_is_made(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = people(bot, 3)
    id_ = made(bot)
    wishes = iter(("pause", "resume"))
    _interrupt(bot, monkeypatch, lambda: bot.runtime.broadcasts.control(id_, next(wishes)))
    broadcasts.start(bot.runtime, id_)
    monkeypatch.undo()
    broadcasts.control(bot.runtime, id_, "resume", "test")
    broadcasts.start(bot.runtime, id_)
    serve(bot)
    assert heard(bot, crowd) == [1, 1, 1]


def test_started_twice_everybody_still_gets_it_once(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = people(bot, 3)
    id_ = made(bot)
    real = bot.runtime.audience.people

    def people_while_another_starts(step: str, since: datetime) -> Iterator[list[tuple[str, float]]]:
        monkeypatch.undo()
        broadcasts.start(bot.runtime, id_)
        yield from real(step, since)

    monkeypatch.setattr(bot.runtime.audience, "people", people_while_another_starts)
    broadcasts.start(bot.runtime, id_)
    broadcasts.start(bot.runtime, id_)
    serve(bot)
    assert heard(bot, crowd) == [1, 1, 1] and standing(bot, id_).total == 3


def test_paused_nothing_goes_out_not_even_what_waits_in_an_outbox(bot: Bot) -> None:
    crowd = people(bot, 2)
    id_ = started(bot)
    hand_out(bot)
    hold, as_it_stands = bot.takes(crowd[0])
    broadcasts.offer(bot.runtime, hold, as_it_stands).run(bot.runtime.redis)
    bot.dies(crowd[0])
    assert broadcasts.control(bot.runtime, id_, "pause", "test") == "paused"
    serve(bot, rounds=5)
    assert heard(bot, crowd) == [0, 0] and [bot.waiting(address) for address in crowd] == [0, 0]
    assert broadcasts.control(bot.runtime, id_, "resume", "test") == "running"
    serve(bot)
    assert heard(bot, crowd) == [1, 1] and standing(bot, id_).state == "done"


def test_cancelled_whoever_has_not_got_it_will_not_get_it(bot: Bot) -> None:
    crowd = people(bot, 3)
    id_ = started(bot)
    attend(bot.runtime, hand_out(bot)[0])
    broadcasts.control(bot.runtime, id_, "cancel", "test")
    serve(bot)
    assert sum(heard(bot, crowd)) == 1
    assert sorted(rows(bot, id_).values()) == [("sent", ""), ("skipped", "cancelled"), ("skipped", "cancelled")]
    assert (standing(bot, id_).state, standing(bot, id_).open) == ("cancelled", 0)
    assert broadcasts.control(bot.runtime, id_, "resume", "test") == "cancelled"


def test_cancelled_while_its_list_is_made_it_reaches_nobody(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = people(bot, 3)
    id_ = made(bot)
    _interrupt(bot, monkeypatch, lambda: bot.runtime.broadcasts.control(id_, "cancel"))
    broadcasts.start(bot.runtime, id_)
    serve(bot)
    assert heard(bot, crowd) == [0, 0, 0]
    assert (standing(bot, id_).state, bot.runtime.broadcasts.are_open()) == ("cancelled", False)


def test_whoever_opts_out_meanwhile_is_left_alone(bot: Bot) -> None:
    crowd = people(bot, 2)
    id_ = started(bot)
    hand_out(bot)
    hold, as_it_stands = bot.takes(crowd[0])
    broadcasts.offer(bot.runtime, hold, as_it_stands).run(bot.runtime.redis)
    for address in crowd:
        bot.redis.hset("msme:optouts", bot.key(address), 1)
    bot.dies(crowd[0])
    serve(bot)
    assert heard(bot, crowd) == [0, 0]
    assert set(rows(bot, id_).values()) == {("skipped", "opted_out")} and standing(bot, id_).skipped == 2


def test_whoever_is_erased_meanwhile_is_left_alone_and_still_counted(bot: Bot) -> None:
    crowd = people(bot, 3)
    id_ = started(bot)
    hand_out(bot)
    hold, as_it_stands = bot.takes(crowd[0])
    broadcasts.offer(bot.runtime, hold, as_it_stands).run(bot.runtime.redis)
    bot.runtime.turns.release(hold, anyway=True)
    for address in crowd[:2]:
        care.erase(bot.runtime, address, "test")
    serve(bot)
    assert heard(bot, crowd) == [0, 0, 1]
    assert (standing(bot, id_).state, standing(bot, id_).skipped, standing(bot, id_).total) == ("done", 2, 3)
    assert list(rows(bot, id_)) == [bot.key(crowd[2])]


def test_whose_window_closes_meanwhile_is_not_written_to(bot: Bot) -> None:
    crowd = people(bot, 2)
    id_ = started(bot)
    hand_out(bot)
    hold, as_it_stands = bot.takes(crowd[0])
    broadcasts.offer(bot.runtime, hold, as_it_stands).run(bot.runtime.redis)
    bot.dies(crowd[0])
    pass_by(bot, 24 * 3600)
    serve(bot)
    assert heard(bot, crowd) == [0, 0]
    assert set(rows(bot, id_).values()) == {("skipped", "outside_window")}


def test_an_account_that_twilio_refuses_pauses_it_and_it_goes_on_after_the_repair(bot: Bot) -> None:
    crowd = people(bot, 3)
    id_ = started(bot)
    bot.twilio.faults["send"] = FaultPlan(refusals={"*": 20003})
    serve(bot, rounds=3)
    paused = standing(bot, id_)
    assert (paused.state, paused.open) == ("paused", 3) and "20003" in paused.reason
    bot.twilio.faults["send"] = FaultPlan()
    broadcasts.control(bot.runtime, id_, "resume", "test")
    pass_by(bot, 31)
    serve(bot)
    assert heard(bot, crowd) == [1, 1, 1] and standing(bot, id_).reason == ""


def test_while_twilio_refuses_replies_a_broadcast_waits(bot: Bot) -> None:
    crowd = people(bot, 3)
    started(bot)
    bot.redis.hset("msme:stopped", mapping={"since": 1, "code": 20003, "probe_at": (bot.redis.time()[0] + 30) * 1000})
    assert hand_out(bot) == []
    pass_by(bot, 31)
    assert len(hand_out(bot)) == 1
    serve(bot)
    assert heard(bot, crowd) == [1, 1, 1]


def test_a_refused_account_that_only_a_callback_tells_of_pauses_it(bot: Bot, redis_url: str) -> None:
    people(bot, 3)
    id_ = started(bot)
    attend(bot.runtime, hand_out(bot)[0])
    (sent,) = [message.to for message in bot.twilio.ledger.all() if "News" in message.body]
    tell(bot, redis_url, sent, "failed", 63001)
    assert standing(bot, id_).state == "paused" and "63001" in standing(bot, id_).reason


def test_more_than_a_fifth_of_failures_pauses_it(bot: Bot) -> None:
    crowd = people(bot, 4)
    bot.twilio.faults["send"] = FaultPlan(refusals=dict.fromkeys(crowd, 63003))
    id_ = started(bot)
    ninety_eight_before(bot, id_, failures=19)
    for key in hand_out(bot):
        attend(bot.runtime, key)
    paused = standing(bot, id_)
    assert (paused.state, paused.failed, paused.open) == ("paused", 2, 2) and "20 %" in paused.reason


def test_failures_told_later_count_once_each(bot: Bot, redis_url: str) -> None:
    crowd = people(bot, 3)
    id_ = started(bot)
    ninety_eight_before(bot, id_, failures=19)
    first, second = hand_out(bot)[:2]
    attend(bot.runtime, first)
    attend(bot.runtime, second)
    sent = [address for address in crowd if bot.key(address) in (first, second)]
    for _ in range(2):
        tell(bot, redis_url, sent[0], "failed", 63003)
    now = standing(bot, id_)
    assert (now.state, now.failed, now.sent) == ("running", 1, 1)
    assert bot.redis.llen(f"msme:broadcast_recent:{id_}") == 100
    tell(bot, redis_url, sent[1], "failed", 63003)
    assert standing(bot, id_).state == "paused" and "20 %" in standing(bot, id_).reason


def test_what_becomes_of_each_message_is_counted(bot: Bot, redis_url: str) -> None:
    crowd = people(bot, 3)
    id_ = started(bot)
    serve(bot)
    for address, statuses in zip(crowd, (["delivered", "delivered"], ["read", "delivered"], ["sent"]), strict=True):
        for status in statuses:
            tell(bot, redis_url, address, status)
    now = standing(bot, id_)
    assert (now.sent, now.delivered, now.read) == (3, 2, 1)


@pytest.mark.parametrize(("status", "code", "expected"), [("delivered", 0, (1, 1, 0)), ("failed", 63003, (0, 0, 1))])
def test_a_callback_that_comes_before_the_answer_counts(
    bot: Bot, redis_url: str, monkeypatch: pytest.MonkeyPatch, status: str, code: int, expected: tuple[int, int, int]
) -> None:
    monkeypatch.setattr(rest, "_TIMEOUT_SECONDS", 0.1)
    (asha,) = people(bot, 1)
    bot.twilio.faults["send"] = FaultPlan(script=["hang_after"], hang_seconds=0.3)
    id_ = started(bot)
    attend(bot.runtime, hand_out(bot)[0])
    tell(bot, redis_url, asha, status, code)
    serve(bot)
    now = standing(bot, id_)
    assert (now.sent, now.delivered, now.failed) == expected and now.state == "done"


def test_only_those_who_failed_for_passing_reasons_are_tried_again(bot: Bot, redis_url: str) -> None:
    crowd = people(bot, 3)
    id_ = started(bot)
    serve(bot)
    tell(bot, redis_url, crowd[0], "failed", 63010)
    tell(bot, redis_url, crowd[1], "failed", 63003)
    assert broadcasts.retry_failed(bot.runtime, id_, "test") == 1
    pass_by(bot, 2)
    serve(bot)
    assert heard(bot, crowd) == [2, 1, 1]
    now = standing(bot, id_)
    assert (now.state, now.sent, now.failed, now.total) == ("done", 2, 1, 3)


def test_trying_again_neither_resumes_what_is_paused_nor_revives_what_is_cancelled(bot: Bot) -> None:
    crowd = people(bot, 3)
    bot.twilio.faults["send"] = FaultPlan(refusals={crowd[0]: 21611, crowd[1]: 21611})
    id_ = started(bot)
    bot.redis.hset(f"msme:broadcast_rows:{id_}", bot.key(crowd[0]), "failed 63010 1 0")
    bot.redis.lrem(f"msme:broadcast_queue:{id_}", 0, bot.key(crowd[0]))
    bot.redis.hincrby(f"msme:broadcast:{id_}", "n_open", -1)
    bot.redis.hincrby(f"msme:broadcast:{id_}", "n_failed", 1)
    broadcasts.control(bot.runtime, id_, "pause", "test")
    assert broadcasts.retry_failed(bot.runtime, id_, "test") == 1
    assert standing(bot, id_).state == "paused"
    broadcasts.control(bot.runtime, id_, "cancel", "test")
    assert broadcasts.retry_failed(bot.runtime, id_, "test") == 0
    serve(bot)
    assert heard(bot, crowd) == [0, 0, 0] and standing(bot, id_).state == "cancelled"


def test_two_broadcasts_take_turns_and_whoever_is_on_both_gets_both(bot: Bot) -> None:
    crowd = people(bot, 4)
    first, second = started(bot, "News one"), started(bot, "News two")
    broadcasts.pump(bot.runtime)
    handed = [str(pair).split(" ")[0] for pair in bot.redis.zrange("msme:broadcast_in_hand", 0, -1)]
    assert (handed.count(first), handed.count(second)) == (2, 2)
    serve(bot)
    assert heard(bot, crowd, "one") == heard(bot, crowd, "two") == [1, 1, 1, 1]


def test_no_more_are_handed_out_than_the_pace_has_left_beside_replies(bot: Bot) -> None:
    people(bot, 40)
    bot.redis.set("msme:reply_count", 1000)
    started(bot)
    # Replies of long ago take nothing from it: it has what 64 a second saves up in 300 ms.
    assert len(hand_out(bot)) == 19
    used_before = float(bot.redis.get("msme:broadcast_pace") or 0)
    bot.redis.set("msme:reply_count", 5)
    handed = len(hand_out(bot))
    used = float(bot.redis.get("msme:broadcast_pace") or 0)
    assert used - used_before >= (handed + 5) * 1000 / 64 - 0.01


def test_some_threads_stay_free_for_replies(bot: Bot) -> None:
    people(bot, 8)
    started(bot)
    threads = 4
    assert len(bot.runtime.broadcasts.assign(64, threads)) == threads
    assert bot.runtime.broadcasts.assign(64, threads) == []
    attend(bot.runtime, bot.key("whatsapp:+919000000000"))
    assert len(bot.runtime.broadcasts.assign(64, threads)) == 1


def test_at_full_share_a_broadcast_steps_back_and_a_reply_goes(bot: Bot) -> None:
    crowd = people(bot, 2)
    id_ = started(bot)
    hand_out(bot)
    now = bot.redis.time()[0] * 1000 + 500
    bot.redis.lpush(f"msme:pace:{bot.key(bot.twilio.account.number)}", *[now] * 64)
    bot.hears("HELP", address=crowd[0])
    before = len(bot.said(crowd[0]))
    bot.attends(crowd[0])
    bot.attends(crowd[1])
    assert len(bot.said(crowd[0])) == before + 1
    assert heard(bot, crowd) == [0, 0] and standing(bot, id_).open == 2


def test_a_reply_that_was_not_delivered_is_said_again_although_a_broadcast_came_after_it(
    bot: Bot, redis_url: str
) -> None:
    (asha,) = people(bot, 1)
    reply = bot.twilio.sent_to(asha)[-1]
    started(bot)
    serve(bot)
    reference = reply.form["StatusCallback"].partition("ref=")[2]
    with Redis.from_url(redis_url) as plain:
        Statuses(plain).note(DeliveryStatus(reference, reply.sid, "failed", 63010), "retry")
    bot.passes(61)
    bot.attends(asha)
    assert bot.said(asha)[-1] == reply.body


def test_the_same_key_makes_one_broadcast(bot: Bot) -> None:
    crowd = people(bot, 2)
    ids = {started(bot, "News", key="monday") for _ in range(3)}
    serve(bot)
    assert len(ids) == 1 and heard(bot, crowd) == [1, 1]


def test_the_same_key_for_another_text_is_refused(bot: Bot) -> None:
    made(bot, "News", key="monday")
    with pytest.raises(DraftError, match="another broadcast"):
        made(bot, "Other news", key="monday")


def test_a_broadcast_paused_before_its_time_starts_when_resumed_after_it(bot: Bot) -> None:
    crowd = people(bot, 1)
    id_ = made(bot)
    broadcasts.control(bot.runtime, id_, "pause", "test")
    broadcasts.start(bot.runtime, id_)
    assert standing(bot, id_).state == "paused"
    assert broadcasts.control(bot.runtime, id_, "resume", "test") == "scheduled"
    broadcasts.start(bot.runtime, id_)
    serve(bot)
    assert heard(bot, crowd) == [1]


def test_nothing_of_a_broadcast_stands_open_in_redis(bot: Bot) -> None:
    people(bot, 1)
    id_ = started(bot, "Confidential")
    hand_out(bot)
    stored = str(bot.redis.hgetall(f"msme:broadcast:{id_}")) + str(bot.redis.hgetall(f"msme:broadcast_rows:{id_}"))
    assert not re.search("Confidential|whatsapp|Asha|9190000", stored)


def _draft(content: Content | str) -> broadcasts.Draft:
    return broadcasts.Draft(Content(content) if isinstance(content, str) else content)


def _interrupt(bot: Bot, monkeypatch: pytest.MonkeyPatch, between: object) -> None:
    """Something happens between each two people of a list that is being made."""
    real = bot.runtime.audience.people

    def one_by_one(step: str, since: datetime) -> Iterator[list[tuple[str, float]]]:
        for chunk in real(step, since):
            for number, person in enumerate(dict(chunk).items()):
                if number:
                    try:
                        between()  # type: ignore[operator]
                    except StopIteration:
                        pass
                yield [person]

    monkeypatch.setattr(bot.runtime.audience, "people", one_by_one)
