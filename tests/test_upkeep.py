"""Everything has an end: what no TTL removes, the clock does."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline import jobs
from pipeline.store.failures import Failures
from sandbox.faults import FaultPlan
from tests.service import ASHA, Bot


def after(bot: Bot, **time: float) -> int:
    return bot.runtime.upkeep.remove_old(datetime.now(UTC) + timedelta(**time))


def on_lists(bot: Bot, kind: str) -> set[str]:
    """The lists of one kind on which Asha stands."""
    lists = [name for name in bot.redis.scan_iter(f"msme:{kind}*") if bot.redis.type(name) == "zset"]
    return {name for name in lists if bot.redis.zscore(name, bot.key()) is not None}


@pytest.fixture
def known(bot: Bot) -> Bot:
    bot.hears("Hi", "Asha Devi", "SUPPORT")
    bot.attends_patiently()
    assert on_lists(bot, "live") and on_lists(bot, "people") and on_lists(bot, "support")
    return bot


def test_a_session_counts_for_24_hours(known: Bot) -> None:
    after(known, hours=23, minutes=59)
    assert on_lists(known, "live")
    after(known, hours=24, minutes=1)
    assert not on_lists(known, "live") and on_lists(known, "people")


def test_nobody_stands_on_a_list_longer_than_what_is_known_of_them(known: Bot) -> None:
    after(known, days=179)
    assert on_lists(known, "people") and on_lists(known, "support")
    after(known, days=181)
    assert not on_lists(known, "people") and not on_lists(known, "support")


def test_a_failed_message_is_kept_for_14_days(bot: Bot) -> None:
    bot.twilio.faults["send"] = FaultPlan(refusals={ASHA: 63024})
    bot.hears("Hi")
    bot.attends()
    failures = Failures(bot.runtime.redis, bot.runtime.seal)
    after(bot, days=13)
    assert len(failures.newest(10)) == 1
    assert after(bot, days=15) >= 1
    assert failures.newest(10) == [] and bot.failures() == []


def test_a_broadcast_whose_report_has_expired_is_forgotten(bot: Bot) -> None:
    bot.redis.zadd("msme:broadcasts", {"b0123456789ab": datetime.now(UTC).timestamp() * 1000})
    after(bot, days=89)
    assert bot.redis.zcard("msme:broadcasts") == 1
    after(bot, days=91)
    assert bot.redis.zcard("msme:broadcasts") == 0


def test_an_optout_has_no_end(bot: Bot) -> None:
    bot.hears("Hi", "STOP")
    bot.attends_patiently()
    after(bot, days=4000)
    assert bot.redis.hexists("msme:optouts", bot.key())


def test_the_clock_has_it_done(known: Bot) -> None:
    known.redis.zadd(on_lists(known, "live").pop(), {known.key(): 1})
    jobs.bind(known.runtime)
    jobs.upkeep()
    assert not on_lists(known, "live")
