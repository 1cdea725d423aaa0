"""Taking care of one person by hand: look, answer, erase, try again; each under the person's lock."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import PipelineError
from pipeline.messages import Reply
from pipeline.runtime import Stores
from pipeline.session import Person, Turn
from pipeline.store.audit import audit_line
from pipeline.store.failures import Retried
from pipeline.store.turns import Hold, Standing

_WAIT_SECONDS = 15.0


class BusyError(PipelineError):
    """The person is being talked with right now, for longer than we waited."""


class StrangerError(PipelineError):
    """We know nobody by this key or address."""


def key_of(stores: Stores, contact: str) -> str:
    """The contact key that an operator means: a key as logs show it, or an address such as whatsapp:+9198…"""
    return contact if re.fullmatch(r"[0-9a-f]{32}", contact) else stores.hasher.contact_key(contact)


@contextmanager
def held(stores: Stores, contact: str) -> Iterator[tuple[Hold, Standing]]:
    """The person's lock, waited for; afterwards a worker goes on with whatever waits. Raises BusyError."""
    key, until = key_of(stores, contact), time.monotonic() + _WAIT_SECONDS
    while (taken := stores.turns.take(key, even_if_idle=True)) is None:
        if time.monotonic() > until:
            raise BusyError(f"A worker holds the lock of {key}; try again in a few seconds.")
        time.sleep(0.2)
    hold, standing = taken
    try:
        yield hold, standing
    finally:
        if stores.turns.release(hold, anyway=True):
            stores.wakeups.wake([hold.key])


def look(stores: Stores, contact: str) -> tuple[str, Person]:
    """The contact key and all that is kept about a person. Raises StrangerError."""
    with held(stores, contact) as (hold, standing):
        return hold.key, _known(standing, hold)


def reply(stores: Stores, contact: str, text: str, who: str) -> str:
    """Says something to a person in the name of the team; it goes out like any reply. Answers the contact key."""
    with held(stores, contact) as (hold, standing):
        _known(standing, hold)
        stores.turns.say(hold, standing, Reply(text), "team", pause_seconds=0)
        stores.support.answered(hold.key)
    stores.audit.note(who, "reply", hold.key)
    return hold.key


def erase(stores: Stores, contact: str, who: str) -> str:
    """Erases a person without a word to them; answers the receipt number, under which alone the audit shows it."""
    with held(stores, contact) as (hold, standing):
        person = _known(standing, hold)
        receipt = stores.hasher.receipt(f"{hold.key}{standing.now.isoformat()}")
        stores.turns.erase(hold, standing, Turn(person), audit_line(who, "erase", receipt))
    return receipt


def retry_failure(stores: Stores, failure_id: str, who: str) -> Retried:
    """Puts a failed message back where it came from; see `store.failures.Failures.retry`."""
    failure = stores.failures.find(failure_id)
    if failure is None:
        return "gone"
    with held(stores, failure.contact) as (hold, _):
        outcome = stores.failures.retry(hold, failure_id)
    stores.audit.note(who, f"retry {outcome}", failure.contact)
    return outcome


def drop_failure(stores: Stores, failure_id: str, who: str) -> bool:
    """Takes a failed message off the list for good; False when it was not there."""
    is_gone = stores.failures.drop(failure_id)
    if is_gone:
        stores.audit.note(who, "drop failure")
    return is_gone


def _known(standing: Standing, hold: Hold) -> Person:
    if standing.person is None:
        raise StrangerError(f"Nothing is kept about {hold.key}.")
    return standing.person
