"""What Twilio could not bring us comes in afterwards: once, in order, and nothing else does."""

from datetime import UTC, datetime, timedelta

from pipeline.catch_up import catch_up
from pipeline.messages import Inbound
from sandbox.faults import FaultPlan
from tests.service import ASHA, RAVI, Bot


def missed(bot: Bot, *texts: str, address: str = ASHA) -> list[str]:
    """Messages that Twilio has on record and whose webhook never came."""
    return [bot.twilio.person(address).say(text, delivered=False).sid for text in texts]


def test_what_was_missed_comes_in_oldest_first(bot: Bot) -> None:
    sids = missed(bot, "Hi", "Asha Devi", "3")
    assert catch_up(bot.runtime) == 3
    assert [entry.split(" ")[0] for entry in bot.redis.lrange(f"msme:inbox:{bot.key()}", 0, -1)] == sids
    bot.attends_patiently()
    assert len(bot.said()) == 3 and "Asha Devi" in bot.said()[1]


def test_what_was_received_is_left_alone(bot: Bot) -> None:
    first, _ = missed(bot, "Hi", "Asha Devi")
    bot.runtime.intake.take(Inbound(first, ASHA, "Hi"))
    assert catch_up(bot.runtime) == 1
    assert catch_up(bot.runtime) == 0
    assert bot.waiting() == 2


def test_what_we_said_ourselves_does_not_come_in(bot: Bot) -> None:
    bot.hears("Hi")
    bot.attends()
    assert catch_up(bot.runtime) == 0


def test_it_goes_on_where_it_stopped_with_some_overlap(bot: Bot) -> None:
    missed(bot, "long ago")
    for message in bot.twilio.ledger.all():
        message.created_at -= 600
    bot.runtime.watermark.write(datetime.now(UTC))
    missed(bot, "lately")
    assert catch_up(bot.runtime) == 1
    assert catch_up(bot.runtime, since=datetime.now(UTC) - timedelta(hours=1)) == 1


def test_what_is_so_old_that_its_receipt_is_forgotten_is_not_answered_again(bot: Bot) -> None:
    (sid,) = missed(bot, "Hi")
    bot.runtime.intake.take(Inbound(sid, ASHA, "Hi"))
    bot.redis.delete(f"msme:received:{sid}")
    for message in bot.twilio.ledger.all():
        message.created_at -= 8 * 86400
    assert catch_up(bot.runtime, since=datetime.now(UTC) - timedelta(days=30)) == 0


def test_while_twilio_cannot_be_asked_nothing_is_skipped(bot: Bot) -> None:
    bot.runtime.watermark.write(began := datetime.now(UTC) - timedelta(minutes=20))
    missed(bot, "Hi")
    bot.twilio.faults["list"] = FaultPlan(script=["503"])
    assert catch_up(bot.runtime) is None and bot.runtime.watermark.read() == began
    assert catch_up(bot.runtime) == 1
    read_to = bot.runtime.watermark.read()
    assert read_to is not None and read_to > began


def test_a_picture_that_was_missed_is_known_as_one(bot: Bot) -> None:
    bot.twilio.person(ASHA).say("", delivered=False, NumMedia="1")
    catch_up(bot.runtime)
    _, standing = bot.takes()
    assert standing.inbound is not None and standing.inbound.media == 1


def test_many_people_over_many_pages(bot: Bot) -> None:
    for number in range(120):
        missed(bot, "Hi", "Asha Devi", address=f"whatsapp:+91980000{number:04}")
    missed(bot, "Hi", address=RAVI)
    assert catch_up(bot.runtime) == 241
    assert bot.runtime.schedule.waiting() == 121
