"""Who is overdue is claimed by one, woken again if that one dies, and held locks live on."""

from pipeline.store.turns import Hold
from tests.redis_proxy import RedisProxy
from tests.service import ASHA, RAVI, Bot


def test_only_the_overdue_are_claimed_and_only_once(bot: Bot) -> None:
    bot.hears("Hi")
    assert bot.runtime.schedule.claim()[0] == []
    bot.passes(6)
    bot.hears("Hi", address=RAVI)
    assert (bot.runtime.schedule.claim()[0], bot.runtime.schedule.claim()[0]) == ([bot.key()], [])


def test_whoever_was_claimed_in_vain_is_claimed_again_after_ten_seconds(bot: Bot) -> None:
    bot.hears("Hi")
    bot.passes(6)
    bot.runtime.schedule.claim()
    bot.passes(10)
    assert bot.runtime.schedule.claim()[0] == [bot.key()]


def test_a_claim_whose_answer_was_lost_costs_seconds_and_nobody(far_bot: Bot, proxy: RedisProxy) -> None:
    far_bot.hears("Hi")
    far_bot.passes(6)
    proxy.lose_answer_of("claim")
    claimed = far_bot.runtime.schedule.claim()[0]
    far_bot.passes(10)
    assert proxy.lost == 1 and [*claimed, *far_bot.runtime.schedule.claim()[0]] == [far_bot.key()]


def test_a_hundred_are_claimed_at_most_the_longest_overdue_first(bot: Bot) -> None:
    bot.redis.zadd("msme:due", {f"{number:032x}": number + 1 for number in range(150)})
    first, second = bot.runtime.schedule.claim()[0], bot.runtime.schedule.claim()[0]
    assert [int(key, 16) for key in first + second] == list(range(150)) and len(first) == 100


def test_a_lock_in_use_lives_on_and_a_lost_one_is_named(bot: Bot) -> None:
    bot.hears("Hi")
    bot.hears("Hi", address=RAVI)
    held, _ = bot.takes(ASHA)
    lost, _ = bot.takes(RAVI)
    bot.redis.pexpire(f"msme:lock:{held.key}", 500)
    bot.dies(RAVI)
    bot.takes(RAVI)
    assert bot.runtime.schedule.renew([held, lost]) == {lost.key}
    assert bot.redis.pttl(f"msme:lock:{held.key}") > 7000
    due_in = bot.due_in()
    assert due_in is not None and due_in > 7


def test_a_stranger_cannot_renew_a_lock(bot: Bot) -> None:
    bot.hears("Hi")
    bot.takes()
    bot.redis.pexpire(f"msme:lock:{bot.key()}", 500)
    assert bot.runtime.schedule.renew([Hold(bot.key(), "somebody else")]) == {bot.key()}
    assert bot.redis.pttl(f"msme:lock:{bot.key()}") <= 500
