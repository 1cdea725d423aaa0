"""Taking a person's lock, reading how things stand, committing a turn, giving the lock back."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from redis import Redis

from pipeline.errors import LockLostError, SealError
from pipeline.messages import Inbound, Reply
from pipeline.seal import Seal
from pipeline.session import Contact, Person, Session, Turn
from pipeline.store import PREFIX
from pipeline.store.script import Call, Script

# How long a lock lives unless it is renewed. A worker that dies delays its person by this much.
LOCK_MS = 8000

_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class Hold:
    """A person's lock in our hands: everything written under it is refused once the token is no longer theirs."""

    key: str
    token: str

    def heed(self, answer: str) -> None:
        """Raises LockLostError when a script answers that the lock is not ours."""
        if answer == "lost":
            raise LockLostError(self.key)


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand with a person whose lock we hold, as of `now` (Redis's clock, one for all machines).

    `sid` with `inbound` is the message that waits at the head of the inbox, empty and None when none does;
    `inbound` is None beside a sid when the message cannot be opened. `session_lost`: there was a session, and it
    cannot be opened. `flooded`: more came than the inbox takes. `broadcast`: the id of one whose message
    is to be released to this person. `problems` says for the operator what could not be
    opened and why.
    """

    now: datetime
    sid: str
    inbound: Inbound | None
    starts: int
    timer: str
    flooded: bool
    broadcast: str
    person: Person | None
    session_lost: bool
    problems: tuple[str, ...]
    replies_waiting: int

    @property
    def cause(self) -> str:
        """What the next turn answers, as part of a reference: a sid, or the time of the timer."""
        return self.sid or f"timer-{self.timer}"

    @property
    def timer_is_due(self) -> bool:
        """Whether the session wants a turn now although nothing was said."""
        return bool(self.timer) and float(self.timer) <= self.now.timestamp() * 1000


class Turns:
    """The conversations of everybody, one person at a time. Methods raise LockLostError when the lock is not ours."""

    def __init__(self, redis: Redis, seal: Seal, session_hours: int, contact_days: int) -> None:
        self._redis = redis
        self._seal = seal
        self._session_seconds = session_hours * 3600
        self._contact_seconds = contact_days * 86400
        self._take, self._commit = Script("take"), Script("commit")
        self._release, self._raised = Script("release"), Script("raised")
        self._erase, self._say = Script("erase", about_broadcasts=True), Script("say")

    def take(self, key: str, even_if_idle: bool = False) -> tuple[Hold, Standing] | None:
        """The lock of the person behind `key` (their own or that of an address) and how things stand; None when
        another holds it or there is nothing to do now (unless wanted `even_if_idle`)."""
        token = secrets.token_hex(16)
        answer, *rest = self._take(self._redis, key, token, LOCK_MS, int(even_if_idle))
        if answer != "taken":
            return None
        contact_key, standing = self._standing(rest[0])
        return Hold(contact_key, token), standing

    def commit_call(self, hold: Hold, before: Standing, turn: Turn, counters: list[str]) -> Call[Standing]:
        """One turn, once and whole; committing it again after a lost answer changes nothing. Answers what waits
        next."""
        arguments = (
            hold.key,
            hold.token,
            before.sid,
            "" if before.sid else before.timer,
            *self._sealed_person(hold, before, turn),
            len(counters),
            *counters,
            *self._entries(hold, before, turn),
        )

        def read(answer: list[Any]) -> Standing:
            hold.heed(answer[0])
            return self._standing(answer[1])[1]

        return Call(self._commit, arguments, read)

    def erase(self, hold: Hold, before: Standing, turn: Turn, audit_line: str) -> Standing:
        """Erases the person, keeping only their opt-out, and says the turn's reply last, if it has one;
        `audit_line` is noted with it."""
        entry = next(iter(self._entries(hold, before, turn)), "")
        answer, *rest = self._erase(self._redis, hold.key, hold.token, before.sid, entry, audit_line)
        hold.heed(answer)
        return self._standing(rest[0])[1]

    def say(self, hold: Hold, before: Standing, reply: Reply, note: str, pause_seconds: int) -> None:
        """Says something that answers no message, because of `note`; once in `pause_seconds` at most."""
        address = before.person.contact.address if before.person else ""
        name = f"{note}-{int(before.now.timestamp() * 1000)}"
        entry = self._outbox_entry(hold, name, address, reply, before.now)
        hold.heed(self._say(self._redis, hold.key, hold.token, entry, note, pause_seconds * 1000))

    def _entries(self, hold: Hold, before: Standing, turn: Turn) -> list[str]:
        address = turn.person.contact.address
        return [
            self._outbox_entry(hold, f"{before.cause}-{number}", address, reply, before.now)
            for number, reply in enumerate(turn.replies)
        ]

    def _sealed_person(self, hold: Hold, before: Standing, turn: Turn) -> list[str | int]:
        session, contact = turn.person.session, turn.person.contact
        owed = session.owed if session else None
        is_out = contact.opted_out_at is not None
        was_out = before.person is not None and before.person.contact.opted_out_at is not None
        sealed_session = self._seal.close(json.dumps(session.to_json()), hold.key, "session") if session else ""
        return [
            sealed_session,
            self._session_seconds,
            self._seal.close(json.dumps(contact.to_json()), hold.key, "contact"),
            self._contact_seconds,
            session.current_step if session else "",
            contact.last_step,
            int(owed.retry_at.timestamp() * 1000) if owed else "",
            int(is_out) if is_out != was_out else "",
            int(turn.outcome == "support"),
        ]

    def _outbox_entry(self, hold: Hold, name: str, address: str, reply: Reply, at: datetime) -> str:
        # `name` makes the reference: the same however often the turn is taken.
        body = self._seal.close(json.dumps({"to": address, "text": reply.text}), hold.key, "outbox")
        return json.dumps({"ref": f"{hold.key}-{name}", "at": int(at.timestamp() * 1000), "body": body})

    def release(self, hold: Hold, anyway: bool) -> Standing | bool:
        """Gives the lock back. `anyway` False: only if no message is due, else answers how things stand and keeps it.
        True: whatever waits; answers whether something does, and the caller wakes somebody for it."""
        left = self._release_call(hold, int(anyway), 0).run(self._redis)
        assert left is not None
        return left

    def release_if_all_is_said_call(self, hold: Hold) -> Call[Standing | bool | None]:
        """The same as `release` if nothing is left to say; else None, and the lock is kept."""
        return self._release_call(hold, 0, 1)

    def _release_call(self, hold: Hold, anyway: int, if_all_is_said: int) -> Call[Standing | bool | None]:
        def read(answer: list[Any]) -> Standing | bool | None:
            says, *rest = answer
            hold.heed(says)
            if says == "more":
                return self._standing(rest[0])[1]
            return None if says == "unsaid" else bool(rest[0])

        return Call(self._release, (hold.key, hold.token, anyway, if_all_is_said), read)

    def raised(self, hold: Hold, before: Standing, reason: str, words: Reply, at_once: bool) -> tuple[bool, Standing]:
        """A turn failed. The third time, or `at_once`, its message is set aside, sealed, and the person is told with
        `words`; until then it is to be tried again. Answers whether it was set aside, and how things stand."""
        address = before.person.contact.address if before.person else ""
        entry = self._outbox_entry(hold, f"{before.cause}-sorry", address, words, before.now) if address else ""
        answer, *rest = self._raised(self._redis, hold.key, hold.token, before.sid, int(at_once), reason, entry)
        hold.heed(answer)
        return answer == "aside", self._standing(rest[0])[1]

    def _standing(self, view: list[Any]) -> tuple[str, Standing]:
        key, now, head, starts, timer, slow, broadcast, session, contact, opted_out, replies_waiting = view
        sid, _, rest = head.partition(" ")
        address_key, _, sealed = rest.partition(" ")
        problems: list[str] = []
        inbound = self._opened(key, sealed, address_key, f"inbox {sid}", lambda stored: Inbound(**stored), problems)
        known = self._opened(key, contact, key, "contact", Contact.from_json, problems)
        at = self._opened(key, session, key, "session", Session.from_json, problems)
        person = None
        if known or inbound:
            person = Person(at, _current(known or Contact(address=""), inbound, opted_out))
        return key, Standing(
            now=_moment(now),
            sid=sid,
            inbound=inbound,
            starts=starts,
            timer=timer,
            flooded=bool(slow),
            broadcast=broadcast,
            person=person,
            session_lost=bool(session) and at is None,
            problems=tuple(problems),
            replies_waiting=replies_waiting,
        )

    def _opened(
        self,
        key: str,
        sealed: str,
        owner: str,
        field: str,
        read: Callable[[dict[str, Any]], _Read],
        problems: list[str],
    ) -> _Read | None:
        if not sealed:
            return None
        try:
            return read(json.loads(self._seal.open(sealed, owner, field)))
        except SealError as error:
            problems.append(f"{PREFIX}{field.split(maxsplit=1)[0]}:{key}: {error}")
        except (KeyError, TypeError, ValueError):
            # Another version of this program wrote it, before a rollback or during a deployment.
            problems.append(f"{field} of {owner} has a shape that is not known here")
        return None


def _current(contact: Contact, inbound: Inbound | None, opted_out: str) -> Contact:
    """The contact with what scripts know better: the address last written from, and whether they opted out."""
    return replace(
        contact,
        address=inbound.address if inbound else contact.address,
        opted_out_at=_moment(opted_out) if opted_out else None,
    )


def _moment(milliseconds: str | int) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
