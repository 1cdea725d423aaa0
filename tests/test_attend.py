"""A person is attended to: every message once and in order, whatever dies or raises at whichever step."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline import conversation, jobs
from pipeline.attend import attend
from pipeline.messages import Inbound, Reply
from pipeline.session import Turn
from pipeline.texts import en
from pipeline.texts import trouble as texts
from sandbox.auth import FakeAuth
from sandbox.faults import FaultPlan
from sandbox.ledger import new_sid
from sandbox.twilio import FakeTwilio
from tests.redis_proxy import RedisProxy
from tests.service import ASHA, RAVI, Bot
from tests.test_store_turns import turn_of

WORDS = ("Hi", "Asha Devi", "3", "400001", "9876543210", "YES")


def registered(bot: Bot, *more: str) -> None:
    bot.hears(*WORDS, *more)
    bot.attends_patiently(rounds=20)


def woken(bot: Bot) -> list[str]:
    """The keys that the jobs on the queue carry."""
    return [job.args[0] for job in bot.runtime.wakeups.queue.jobs]


def test_a_registration_that_came_all_at_once_is_answered_in_order(bot: Bot) -> None:
    registered(bot)
    said = bot.said()
    assert len(said) == 6 and "full name" in said[0] and "Asha Devi" in said[4] and "OTP" in said[5]
    assert bot.waiting() == 0 and bot.redis.keys("msme:lock:*") == [] and bot.due_in() is None
    assert len(bot.auth.otps) == 1 and bot.person()["step"] == "completed"


def test_a_turn_costs_three_round_trips(far_bot: Bot, proxy: RedisProxy) -> None:
    far_bot.hears("Hi")
    far_bot.attends_patiently()
    far_bot.hears("Asha Devi")
    before = proxy.round_trips
    attend(far_bot.runtime, far_bot.key())
    assert proxy.round_trips - before == 3 and len(far_bot.said()) == 2


def test_a_turn_is_taken_in_a_redis_that_has_forgotten_our_scripts(bot: Bot) -> None:
    bot.hears("Hi")
    bot.redis.script_flush()
    bot.attends()
    bot.passes(2)
    bot.hears("Asha Devi")
    bot.redis.script_flush()
    bot.attends()
    assert len(bot.said()) == 2 and bot.due_in() is None


def test_two_workers_woken_for_one_person_answer_once(bot: Bot) -> None:
    bot.hears("Hi")
    bot.attends()
    bot.attends()
    assert len(bot.said()) == 1


def test_a_worker_that_died_before_its_commit_is_replaced(bot: Bot) -> None:
    bot.hears("Hi")
    bot.takes()
    bot.attends()
    assert bot.said() == []
    bot.dies()
    bot.attends()
    assert len(bot.said()) == 1


def test_a_worker_that_died_behind_its_commit_leaves_the_reply_to_the_next(bot: Bot) -> None:
    bot.hears("Hi")
    hold, standing = bot.takes()
    bot.commits(hold, standing, turn_of(standing, "one"), [])
    bot.dies()
    bot.attends()
    assert bot.said() == ["one"]


def test_a_worker_that_died_between_the_auth_api_and_its_commit_causes_no_second_otp(bot: Bot) -> None:
    bot.hears(*WORDS[:5])
    bot.attends_patiently(rounds=20)
    (sid,) = bot.hears("YES")
    _, standing = bot.takes()
    assert standing.person is not None and standing.person.session is not None
    key = bot.runtime.hasher.idempotency_key(sid)
    bot.runtime.auth.send_otp(standing.person.session.data, key, sid)
    bot.dies()
    bot.attends()
    assert len(bot.auth.otps) == 1 and {call.idempotency_key for call in bot.auth.calls} == {key}
    assert "OTP" in bot.said()[-1] and bot.person()["step"] == "completed"


def test_a_worker_that_lost_its_lock_commits_nothing(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    bot.hears("Hi")
    advance = conversation.advance

    def slowly(*arguments):  # type: ignore[no-untyped-def]
        bot.dies()
        bot.takes()
        return advance(*arguments)

    monkeypatch.setattr(conversation, "advance", slowly)
    bot.attends()
    assert bot.said() == [] and bot.waiting() == 1 and "step" not in bot.person()
    assert bot.runtime.holds.younger_than(60) == []


def test_after_ten_turns_the_lock_is_given_back_and_somebody_is_woken(bot: Bot) -> None:
    # Twilio has answered these itself, so there is nothing to say.
    bot.hears(*["STOP"] * 12, opt_out="STOP")
    bot.runtime.wakeups.queue.empty()
    bot.attends()
    assert bot.redis.llen(f"msme:inbox:{bot.key()}") == 2 and bot.redis.keys("msme:lock:*") == []
    assert woken(bot) == [bot.key()]


def test_a_worker_told_to_stop_finishes_the_turn_and_wakes_another(bot: Bot) -> None:
    bot.hears("STOP", "STOP", opt_out="STOP")
    bot.runtime.wakeups.queue.empty()
    bot.runtime.stopping.set()
    bot.attends()
    assert bot.redis.llen(f"msme:inbox:{bot.key()}") == 1
    assert bot.redis.keys("msme:lock:*") == [] and woken(bot) == [bot.key()]


def test_a_message_whose_answer_has_to_wait_waits_itself_and_holds_no_worker(bot: Bot) -> None:
    bot.hears("Hi", "Asha Devi")
    bot.attends()
    assert len(bot.said()) == 1 and bot.redis.llen(f"msme:inbox:{bot.key()}") == 1
    assert bot.redis.keys("msme:lock:*") == []
    due_in = bot.due_in()
    assert due_in is not None and due_in <= 1
    bot.passes(-10)
    bot.attends()
    assert len(bot.said()) == 1 and bot.redis.keys("msme:lock:*") == []
    bot.passes(11)
    bot.attends()
    assert len(bot.said()) == 2 and bot.due_in() is None


def test_a_stranded_wake_up_is_made_good_by_the_sweep(bot: Bot) -> None:
    (sid,) = bot.hears("Hi")
    queue = bot.runtime.wakeups.queue
    assert bot.redis.lmove(queue.key, queue.intermediate_queue_key, "RIGHT", "LEFT") == sid
    bot.passes(6)
    jobs.sweep_once(bot.runtime)
    assert woken(bot) == [bot.key()]
    bot.attends()
    assert len(bot.said()) == 1


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever says "boom" has their turn raise."""
    advance = conversation.advance

    def fragile(person, event, now, desk):  # type: ignore[no-untyped-def]
        if isinstance(event, Inbound) and event.said == "boom":
            raise RuntimeError("whatsapp:+919876543210 said boom")
        return advance(person, event, now, desk)

    monkeypatch.setattr(conversation, "advance", fragile)


@pytest.mark.usefixtures("poison")
def test_a_message_whose_turn_raises_three_times_goes_and_the_next_is_answered(bot: Bot) -> None:
    _, bad, _ = bot.hears("Hi", "boom", "Asha Devi")
    bot.attends_patiently()
    assert [said == texts.SOMETHING_WENT_WRONG for said in bot.said()] == [False, True, False]
    assert "Asha Devi" in bot.said()[2]
    assert bot.redis.hkeys("msme:failed") == [bad] and bot.failures()[0]["reason"] == "raised RuntimeError"


@pytest.mark.usefixtures("poison")
def test_what_is_written_about_a_poisonous_message_names_nobody(bot: Bot, capfd: pytest.CaptureFixture[str]) -> None:
    bot.hears("Hi", "boom")
    bot.attends_patiently()
    assert "98765" not in bot.redis.hvals("msme:failed")[0]


def test_a_message_that_kills_its_worker_ten_times_goes_and_the_next_is_answered(bot: Bot) -> None:
    bot.hears("Hi")
    bot.attends()
    bad, _ = bot.hears("deadly", "Asha Devi")
    bot.passes(1)
    for _ in range(10):
        bot.takes()
        bot.dies()
    bot.attends_patiently()
    assert bot.redis.hkeys("msme:failed") == [bad] and len(bot.said()) == 3
    assert bot.said()[1] == texts.SOMETHING_WENT_WRONG and "Asha Devi" in bot.said()[2]


def test_a_message_that_cannot_be_opened_goes_and_the_next_is_answered(bot: Bot) -> None:
    bot.hears("Hi")
    bot.attends()
    (bad,) = bot.hears("Asha Devi")
    bot.redis.lset(f"msme:inbox:{bot.key()}", 0, f"{bad} {bot.key()} 00000000:damaged")
    bot.hears("Ravi Kumar")
    bot.attends_patiently()
    assert bot.redis.hkeys("msme:failed") == [bad] and "Ravi Kumar" in bot.said()[-1]


def test_a_first_message_that_cannot_be_opened_blocks_nobody(bot: Bot) -> None:
    (bad,) = bot.hears("Hi")
    bot.redis.lset(f"msme:inbox:{bot.key()}", 0, f"{bad} {bot.key()} 00000000:damaged")
    bot.attends()
    bot.hears("Hi")
    bot.attends_patiently()
    assert len(bot.said()) == 1 and bot.redis.hkeys("msme:failed") == [bad]


def test_a_session_that_cannot_be_opened_is_told_and_begun_anew(bot: Bot) -> None:
    bot.hears("Hi")
    bot.attends()
    bot.passes(2)
    bot.redis.set(f"msme:session:{bot.key()}", "00000000:damaged")
    bot.hears("Asha Devi")
    bot.attends()
    assert texts.SESSION_LOST in bot.said()[-1] and bot.person()["step"] == "name"


def waits_for_an_otp(redis_url: str, twilio: FakeTwilio, auth: FakeAuth, **changes: object) -> Bot:
    bot = Bot.start(redis_url, twilio, auth, **changes)
    auth.faults = FaultPlan(script=["500"] * 3)
    registered(bot)
    return bot


@pytest.mark.usefixtures("no_naps")
def test_an_otp_that_could_not_be_asked_for_comes_by_itself(
    redis_url: str, fake_twilio: FakeTwilio, fake_auth: FakeAuth
) -> None:
    bot = waits_for_an_otp(redis_url, fake_twilio, fake_auth, auth_retry_seconds="0.001,0.001,0.001,0.001")
    assert len(fake_auth.calls) == 4 and len({call.idempotency_key for call in fake_auth.calls}) == 1
    assert "details are safe" in bot.said()[5] and len(bot.said()) == 7 and len(fake_auth.otps) == 1
    assert bot.person()["step"] == "completed" and bot.due_in() is None
    bot.close()


@pytest.mark.usefixtures("no_naps")
def test_who_is_owed_an_otp_is_due_when_it_is_asked_for_again(
    redis_url: str, fake_twilio: FakeTwilio, fake_auth: FakeAuth
) -> None:
    bot = waits_for_an_otp(redis_url, fake_twilio, fake_auth, auth_retry_seconds="600")
    due_in = bot.due_in()
    assert due_in is not None and 400 < due_in <= 600
    bot.close()


@pytest.mark.usefixtures("no_naps")
def test_an_otp_owed_to_a_session_that_expired_keeps_nobody_busy(bot: Bot) -> None:
    bot.auth.faults = FaultPlan(script=["500"])
    registered(bot)
    hold, standing = bot.takes()
    person = standing.person
    assert person is not None and person.session is not None and person.session.owed is not None
    long_ago = standing.now - timedelta(hours=25)
    owed = replace(person.session.owed, retry_at=long_ago)
    session = replace(person.session, updated_at=long_ago, owed=owed)
    bot.commits(hold, standing, Turn(replace(person, session=session)), [])
    bot.runtime.turns.release(hold, anyway=True)
    bot.attends()
    due_in = bot.due_in()
    assert due_in is None or due_in > 1


def test_a_dead_auth_api_is_not_hammered(bot: Bot) -> None:
    bot.auth.faults = FaultPlan(script=["500"] * 100)
    for number in range(8):
        address = f"whatsapp:+91980000000{number}"
        bot.hears(*WORDS, address=address)
        bot.attends_patiently(address, rounds=20)
    assert len(bot.auth.calls) == 5
    assert all("details are safe" in bot.said(f"whatsapp:+91980000000{number}")[-1] for number in range(8))


def test_people_do_not_wait_for_each_other(bot: Bot) -> None:
    bot.hears("Hi")
    bot.takes()
    bot.hears("Hi", address=RAVI)
    bot.attends(RAVI)
    assert (len(bot.said()), len(bot.said(RAVI))) == (0, 1)


def test_a_job_that_fails_is_no_failure_of_the_worker(bot: Bot) -> None:
    jobs.bind(bot.runtime)
    bot.redis.set(f"msme:inbox:{bot.key()}", "not a list")
    jobs.wake(bot.key(), new_sid())


def test_an_erased_person_is_told_and_forgotten(bot: Bot) -> None:
    registered(bot)
    bot.hears("DELETE MY DATA", "YES")
    bot.attends_patiently(rounds=20)
    assert "DEL-" in bot.said()[-1]
    kept = [key for key in bot.redis.keys("*") if bot.key() in key and not key.startswith("rq:")]
    assert [key.split(":")[1] for key in kept] in ([], ["status"])
    assert ASHA not in str(kept) and bot.due_in() is None


def test_what_is_said_of_its_own_accord_is_no_longer_than_a_message_may_be() -> None:
    assert len(texts.late("x" * 1590)) <= 1600
    assert all(len(reply.text) <= 1600 for reply in texts.after_lost_session((Reply("x" * 1600), Reply("y"))))
    assert texts.SOMETHING_WENT_WRONG not in vars(en).values()
