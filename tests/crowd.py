"""People for broadcasts, and what pump and workers do about them, one step at a time."""

from typing import Any

from pipeline import broadcasts
from pipeline.attend import attend
from pipeline.broadcast import Broadcast, Content
from pipeline.draft import Draft
from tests.service import Bot

TEMPLATE = Content(content_sid="HX" + "a" * 32, variables='{"1": "{name}"}')


def people(bot: Bot, count: int) -> list[str]:
    """That many people who said Hi and told their names a while ago; their addresses."""
    addresses = [f"whatsapp:+9190000{number:05}" for number in range(count)]
    for number, address in enumerate(addresses):
        bot.hears("Hi", f"Asha {'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[number % 26]}", address=address)
        bot.attends(address)
        bot.redis.delete(f"msme:pace:{bot.key(bot.twilio.account.number)}")
    bot.passes(2)
    for address in addresses:
        bot.attends(address)
    pass_by(bot, 2)
    return addresses


def made(bot: Bot, content: Content | str = "News for {name}", **more: Any) -> str:
    """A broadcast, not started yet; its id."""
    said = Content(content) if isinstance(content, str) else content
    return broadcasts.create(bot.runtime, Draft(said, **more), "test")[0].id


def started(bot: Bot, content: Content | str = "News for {name}", **more: Any) -> str:
    """A broadcast that runs; its id."""
    id_ = made(bot, content, **more)
    broadcasts.start(bot.runtime, id_)
    return id_


def hand_out(bot: Bot) -> list[str]:
    """What the pump does once; the contact keys of those handed to workers."""
    before = in_hand(bot)
    broadcasts.pump(bot.runtime)
    return sorted(in_hand(bot) - before)


def in_hand(bot: Bot) -> set[str]:
    return {str(pair).split(" ")[1] for pair in bot.redis.zrange("msme:broadcast_in_hand", 0, -1)}


def serve(bot: Bot, rounds: int = 12) -> None:
    """Pump and workers go on, 2 s a round, until nothing is left to do for a broadcast that is not paused."""
    for _ in range(rounds):
        broadcasts.pump(bot.runtime)
        for key in in_hand(bot):
            attend(bot.runtime, key)
        for key in bot.redis.zrange("msme:due", 0, -1):
            attend(bot.runtime, str(key))
        if not bot.runtime.broadcasts.are_open():
            return
        pass_by(bot, 2)


def pass_by(bot: Bot, seconds: float) -> None:
    """That much time goes by, for broadcasts as well."""
    bot.passes(seconds)
    bot.redis.delete("msme:broadcast_pace", "msme:reply_count")
    for pair, score in bot.redis.zrange("msme:broadcast_in_hand", 0, -1, withscores=True):
        bot.redis.zadd("msme:broadcast_in_hand", {pair: score - seconds * 1000})
    for id_ in bot.redis.zrange("msme:broadcasts", 0, -1):
        if (moment := bot.redis.hget(f"msme:broadcast:{id_}", "not_before")) is not None:
            bot.redis.hset(f"msme:broadcast:{id_}", "not_before", int(moment) - round(seconds * 1000))


def standing(bot: Bot, id_: str) -> Broadcast:
    """How it stands. Everybody on its list is counted in exactly one state, always."""
    found = bot.runtime.broadcasts.find(id_)
    assert found is not None
    assert found.open + found.sent + found.failed + found.skipped == found.total
    assert found.read <= found.delivered <= found.sent
    return found


def heard(bot: Bot, addresses: list[str], word: str = "News") -> list[int]:
    """How often each was sent a text with this word."""
    return [sum(word in text for text in bot.said(address)) for address in addresses]


def rows(bot: Bot, id_: str) -> dict[str, tuple[str, str]]:
    """State and detail of every recipient, by contact key."""
    return {one.contact: (one.state, one.detail) for one in bot.runtime.broadcasts.recipients(id_)}
