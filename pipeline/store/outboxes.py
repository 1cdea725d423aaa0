"""What is to be said to a person, in order; each attempt at saying it is recorded before it is made."""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from redis import Redis

from pipeline.errors import SealError
from pipeline.seal import Seal
from pipeline.store import PREFIX
from pipeline.store.script import Call, Script
from pipeline.store.turns import Hold

# When an attempt whose outcome is unknown is looked into: Twilio has shown it by then, if it ever had it.
SETTLE_SECONDS = 15

Outcome = Literal["sent", "again", "unsent", "doubt", "drop", "stop"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """The head of an outbox. `text` is None when it cannot be opened, `problem` then says why; `content_sid` with
    `variables` is a template, sent instead of it."""

    reference: str
    address: str
    text: str | None
    written_at: datetime
    content_sid: str = ""
    variables: str = ""
    tries: int = 0
    attempted_at: datetime | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be done with the outbox head.

    `go`: post it now, the attempt is recorded (at `now`). `doubt`: find out what became of the attempt at it.
    `wait`: not for `wait_ms` yet. `pace`: the sender is at its pace, and is free again in `wait_ms`. `closed`: the 24
    hours in which free text may be sent are over. `known`: it had reached Twilio and is off the outbox. `empty`:
    nothing is left to say. `asked_at` is when that was asked, on the monotonic clock: before anything was recorded.
    """

    says: Literal["go", "doubt", "wait", "pace", "closed", "known", "empty"]
    asked_at: float
    waiting: Waiting | None = None
    wait_ms: int = 0
    now: datetime | None = None


class Outboxes:
    """The outboxes of everybody. Methods raise LockLostError when the person's lock is not ours."""

    def __init__(
        self, redis: Redis, seal: Seal, sender: str, messages_per_second: int, broadcasts_per_second: int
    ) -> None:
        self._redis = redis
        self._seal = seal
        self._sender = sender
        self._messages_per_second = messages_per_second
        self._broadcasts_per_second = broadcasts_per_second
        self._attempt, self._settle = Script("attempt", True), Script("settle", True)

    def attempt(self, hold: Hold) -> Verdict:
        """Asks what may be done with the head, and records the attempt if the answer is `go`."""
        return self.attempt_call(hold).run(self._redis)

    def attempt_call(self, hold: Hold) -> Call[Verdict]:
        """The same, not asked yet; to be run at once."""
        asked_at = time.monotonic()
        paces = (self._sender, self._messages_per_second, SETTLE_SECONDS, self._broadcasts_per_second)

        def read(answer: list[Any]) -> Verdict:
            says, *rest = answer
            hold.heed(says)
            match says:
                case "wait" | "pace":
                    return Verdict(says, asked_at, wait_ms=rest[0])
                case "go":
                    return Verdict("go", asked_at, self._waiting(hold, rest[0], tries=rest[1]), now=_moment(rest[2]))
                case "doubt":
                    return Verdict("doubt", asked_at, self._waiting(hold, rest[0], attempted_at=_moment(rest[1])))
                case "closed":
                    return Verdict("closed", asked_at, self._waiting(hold, rest[0]))
                case _:
                    return Verdict(says, asked_at)

        return Call(self._attempt, (hold.key, hold.token, *paces), read)

    def settle(
        self,
        hold: Hold,
        reference: str,
        outcome: Outcome,
        *,
        sid: str = "",
        code: int = 0,
        wait_ms: int = 0,
        reason: str = "",
    ) -> None:
        """Records what became of the attempt at the head; recording it again after a lost answer changes nothing."""
        self._settle_call(hold, reference, outcome, sid, code, wait_ms, reason).run(self._redis)

    def sent_call(self, hold: Hold, reference: str, sid: str) -> Call[None]:
        """That Twilio has taken it as `sid`, not recorded yet."""
        return self._settle_call(hold, reference, "sent", sid, 0, 0, "")

    def _settle_call(self, hold: Hold, *outcome: str | int) -> Call[None]:
        return Call(self._settle, (hold.key, hold.token, *outcome), hold.heed)

    def claimed_sids(self, hold: Hold) -> set[str]:
        """Twilio's SIDs of the messages to this person that we know to be ours, and of whoever was just erased."""
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.hvals(f"{PREFIX}status:{hold.key}")
            pipeline.zrange(f"{PREFIX}erased_sids", 0, -1)
            statuses, erased = pipeline.execute()
        return {str(status).split(" ")[2] for status in statuses} | set(erased)

    def _waiting(self, hold: Hold, entry: str, tries: int = 0, attempted_at: datetime | None = None) -> Waiting:
        stored: dict[str, Any] = json.loads(entry)
        try:
            body = json.loads(self._seal.open(stored["body"], hold.key, "outbox"))
        except SealError as error:
            body = {"to": "", "text": None, "problem": f"{PREFIX}outbox:{hold.key}: {error}"}
        return Waiting(
            reference=stored["ref"],
            address=body["to"],
            text=body["text"],
            written_at=_moment(stored["at"]),
            content_sid=body.get("content_sid", ""),
            variables=body.get("variables", ""),
            tries=tries,
            attempted_at=attempted_at,
            problem=body.get("problem", ""),
        )


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
