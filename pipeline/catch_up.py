"""What Twilio could not bring us while we were away stands in its list of messages: it comes in by the same door."""

from datetime import UTC, datetime, timedelta

from pipeline import logs
from pipeline.errors import SendError
from pipeline.messages import Inbound
from pipeline.runtime import Runtime

log = logs.get(__name__)

# Twilio's list may be behind its webhooks; what is seen twice comes in once.
_OVERLAP = timedelta(minutes=5)
# How far back the very first look goes.
_FIRST_LOOK = timedelta(hours=1)
# That a message was received is remembered for 7 days: what is older could have been answered already.
_REMEMBERED = timedelta(days=6)
# Twilio gives a webhook 15 s in all.
YOUNGEST = timedelta(seconds=20)


def catch_up(runtime: Runtime, since: datetime | None = None, youngest: timedelta = timedelta(0)) -> int | None:
    """Reads Twilio's list of messages to us since `since` (default: since it was last read) and takes in what had not
    come, oldest first. Answers how many, or None when Twilio could not be asked.

    Messages younger than `youngest` are left for the next time: their webhook may still be under way, and it knows
    more than the list (which button was tapped, whether Twilio has answered a STOP).
    """
    began = datetime.now(UTC)
    since = max(since or runtime.watermark.read() or began - _FIRST_LOOK, began - _REMEMBERED)
    try:
        listed = runtime.twilio.received(since - _OVERLAP)
    except SendError as error:
        log.warning("catch_up_waits", decision=error.decision, code=error.code)
        return None
    missed = 0
    missing = runtime.intake.missing([message.sid for message in listed])
    for message in listed:
        if message.sid not in missing:
            continue
        if began - message.created < youngest:
            runtime.watermark.ask(began + youngest)
            break
        inbound = Inbound(sid=message.sid, address=message.address, text=message.text, media=message.media)
        if runtime.intake.take(inbound) == "taken":
            missed += 1
            log.info("caught_up", trace=message.sid)
    runtime.watermark.write(began)
    return missed
