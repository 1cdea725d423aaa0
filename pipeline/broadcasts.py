"""Broadcasts: who gets what, what will happen, and doing it through everybody's outbox.

Recipients are handed out to workers at the broadcasts' share of the pace (`pump`). The worker that has one moves the
message to the person's outbox under their lock (`offer`), and it goes out like a reply, with the same attempts and the
same settlement of doubts. So nobody gets it twice, and a crash anywhere is gone on from.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline import logs
from pipeline.broadcast import Broadcast, personal, units
from pipeline.draft import Draft, DraftError
from pipeline.runtime import Stores
from pipeline.session import Details
from pipeline.store.audience import Reach
from pipeline.store.broadcasts import Wish
from pipeline.store.script import Call
from pipeline.store.turns import Hold, Standing
from pipeline.texts import shown
from pipeline.twilio_api.codes import decision_of

log = logs.get(__name__)

# Codes of failures that may have passed by the time of a second try.
_PASSING = ("retry", "in doubt", "stop all")


@dataclass(frozen=True, slots=True)
class Preview:
    """What will happen, exact at this moment. `recipients` are those it would reach now, `seconds` how long that
    takes at the pace, `length` what the text counts in UTF-16 units, `warning` is empty when all is well."""

    recipients: int
    reach: dict[str, Reach]
    in_window: int
    outside_window: int
    opted_out: int
    seconds: float
    length: int
    messages: int
    warning: str


def preview(stores: Stores, draft: Draft) -> Preview:
    """What sending this draft now would do."""
    reach = stores.audience.reach(draft.step, datetime.now(UTC))
    inside = sum(one.in_window for one in reach.values())
    outside = sum(one.outside_window for one in reach.values())
    recipients = inside + outside if draft.content.is_template else inside
    return Preview(
        recipients=recipients,
        reach=reach,
        in_window=inside,
        outside_window=outside,
        opted_out=sum(one.opted_out for one in reach.values()),
        seconds=round(recipients / stores.settings.broadcasts_per_second, 1),
        length=units(draft.content.text),
        messages=recipients,
        warning=_warning(stores, draft, outside),
    )


def create(stores: Stores, draft: Draft, who: str) -> tuple[Broadcast, bool]:
    """Makes the broadcast and has it started when it is due; the same key makes it once. Answers it and whether
    it is new. Raises DraftError when the key was used for another broadcast."""
    id_ = stores.hasher.broadcast_id(draft.key)
    now = datetime.now(UTC)
    is_new = stores.broadcasts.create(id_, draft.content, draft.name, draft.step, draft.send_at or now)
    if is_new:
        stores.audit.note(who, "broadcast", id_)
        log.info("broadcast_created", broadcast=id_)
    if not draft.send_at or draft.send_at <= now:
        stores.wakeups.start(id_)
    broadcast = stores.broadcasts.find(id_)
    assert broadcast is not None
    if (broadcast.content, broadcast.step) != (draft.content, draft.step):
        raise DraftError({"Idempotency-Key": f"was used before, for another broadcast ({id_})"})
    return broadcast, is_new


def control(stores: Stores, id_: str, wish: Wish, who: str) -> str:
    """Pause, resume or cancel; answers the state it is in afterwards, or `unknown`."""
    state = stores.broadcasts.control(id_, wish, f"{wish} by {who.partition(':')[0]}")
    if state != "unknown":
        stores.audit.note(who, f"broadcast {wish}", id_)
        log.info("broadcast_control", broadcast=id_, wish=wish, state=state)
    if wish == "resume" and state in ("scheduled", "preparing"):
        stores.wakeups.start(id_)
    return state


def retry_failed(stores: Stores, id_: str, who: str) -> int:
    """Puts back whoever it failed for with a passing reason; answers how many."""
    failed = [
        recipient.contact
        for recipient in stores.broadcasts.recipients(id_)
        if recipient.state == "failed" and decision_of(int(recipient.detail or 0)) in _PASSING
    ]
    count = sum(stores.broadcasts.retry(id_, failed[start : start + 500]) for start in range(0, len(failed), 500))
    stores.audit.note(who, "broadcast retry-failed", id_)
    return count


def start(stores: Stores, id_: str) -> None:
    """Takes the snapshot of the recipients of a broadcast that is due, and lets it run; harmless when doubled."""
    if stores.broadcasts.control(id_, "start") != "preparing":
        return
    broadcast = stores.broadcasts.find(id_)
    assert broadcast is not None
    is_free = not broadcast.content.is_template
    since = stores.audience.since(is_free, datetime.now(UTC))
    for chunk in stores.audience.people(broadcast.step, since):
        if stores.broadcasts.add(id_, is_free, chunk) < 0:
            # Paused or cancelled meanwhile: whoever resumes it has the list made whole.
            return
    state = stores.broadcasts.control(id_, "run")
    log.info("broadcast_started", broadcast=id_, state=state)


def pump(stores: Stores) -> list[str]:
    """Hands out the next recipients, as many as the pace allows right now; answers their keys, and the caller wakes a
    worker for each."""
    settings = stores.settings
    # The rest of the threads stays free for replies.
    most_in_hand = max(1, settings.worker_processes * settings.worker_threads * 3 // 4)
    return stores.broadcasts.assign(settings.broadcasts_per_second, most_in_hand)


def offer(stores: Stores, hold: Hold, standing: Standing) -> Call[None]:
    """Moves the message of `standing.broadcast` to this person's outbox, or skips them, as things stand."""
    content = stores.broadcasts.content(standing.broadcast)
    address, details = "", Details()
    if standing.person:
        address = standing.person.contact.address
        session = standing.person.session
        details = standing.person.contact.details
        if not details.name and session:
            details = session.data
    own = personal(content, shown.echo(details.name), details.sector)
    return stores.broadcasts.release_call(hold, standing.broadcast, address, own, standing.now)


def _warning(stores: Stores, draft: Draft, outside: int) -> str:
    limit = stores.settings.meta_daily_limit
    if not draft.content.is_template or limit == "none" or outside <= int(limit):
        return ""
    return (
        f"{outside} people are outside their 24-hour window, and Meta lets you write first to "
        f"{limit} people in 24 hours (META_DAILY_LIMIT): the rest would fail."
    )
