"""The failed list: messages that went wrong for good, sealed, until they are retried, dropped or expire."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from redis import Redis

from pipeline.errors import LockLostError, SealError
from pipeline.seal import Seal
from pipeline.store import PREFIX, milliseconds
from pipeline.store.script import Script
from pipeline.store.turns import Hold

_FAILED, _FAILED_AT = f"{PREFIX}failed", f"{PREFIX}failed_at"

Retried = Literal["ok", "gone", "textless", "stale"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A message that went wrong: `kind` is `inbound` (a turn failed) or `reply` (it could not be sent, or Twilio says
    it was not delivered). `code` is Twilio's, 0 where there is none."""

    id: str
    kind: str
    contact: str
    reason: str
    code: int
    at: datetime
    address_key: str
    sealed: str


class Failures:
    """What stands on the failed list."""

    def __init__(self, redis: Redis, seal: Seal) -> None:
        self._redis = redis
        self._seal = seal
        self._retry = Script("retry")

    def count(self) -> int:
        """How many there are."""
        return int(self._redis.zcard(_FAILED_AT))

    def count_since(self, moment: datetime) -> int:
        """How many came after `moment`."""
        return int(self._redis.zcount(_FAILED_AT, f"({milliseconds(moment)}", "+inf"))

    def newest(self, at_most: int = 100) -> list[Failure]:
        """The newest first."""
        ids = [str(id_) for id_ in self._redis.zrange(_FAILED_AT, 0, at_most - 1, desc=True)]
        stored = self._redis.hmget(_FAILED, ids) if ids else []
        return [_failure(id_, json.loads(record)) for id_, record in zip(ids, stored, strict=True) if record]

    def find(self, id_: str) -> Failure | None:
        """One, by its id: the sid of a message to us, the reference of one of ours."""
        record = self._redis.hget(_FAILED, id_)
        return _failure(id_, json.loads(record)) if record else None

    def text(self, failure: Failure) -> str:
        """What the message says. Raises SealError."""
        if not failure.sealed:
            raise SealError("the text of this message was not kept")
        if failure.kind == "inbound":
            stored = self._seal.open(failure.sealed, failure.address_key, f"inbox {failure.id}")
        else:
            stored = self._seal.open(failure.sealed, failure.contact, "outbox")
        return str(json.loads(stored)["text"])

    def retry(self, hold: Hold, id_: str) -> Retried:
        """Puts it back where it was taken from, under the person's lock. `stale`: the person has written since, and
        an old "3" would answer another question."""
        answer = self._retry(self._redis, hold.key, hold.token, id_)
        if answer == "lost":
            raise LockLostError(hold.key)
        retried: Retried = answer
        return retried

    def drop(self, id_: str) -> bool:
        """Takes it off the list for good; False when it was not there."""
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.hdel(_FAILED, id_)
            pipeline.zrem(_FAILED_AT, id_)
            return bool(pipeline.execute()[0])

    def forget_before(self, moment: datetime) -> int:
        """Drops what went wrong before `moment`; answers how many."""
        ids = self._redis.zrange(_FAILED_AT, "-inf", int(moment.timestamp() * 1000), byscore=True)
        return sum(self.drop(str(id_)) for id_ in ids)


def _failure(id_: str, record: dict[str, Any]) -> Failure:
    return Failure(
        id=id_,
        kind=record["kind"],
        contact=record["contact"],
        reason=record["reason"],
        code=int(record.get("code", 0)),
        at=datetime.fromtimestamp(record["at"] / 1000, UTC),
        address_key=record.get("address", ""),
        sealed=record.get("sealed", ""),
    )
