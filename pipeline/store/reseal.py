"""Sealing what stands in Redis anew, one person at a time, so that old keys can be removed."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from redis import Redis

from pipeline.errors import LockLostError, SealError
from pipeline.seal import Seal
from pipeline.store import PREFIX
from pipeline.store.script import Script
from pipeline.store.turns import Hold


@dataclass(frozen=True, slots=True)
class _Place:
    """Where something sealed stands: a string (S), an entry of a list (L) or a field of a hash (H), by the name of the
    key without the prefix and the index or field; whom and what it is sealed for; what is stored around it."""

    kind: str
    name: str
    index: str | int
    sealed: str
    owner: str
    field: str
    around: Callable[[str], str] = str


class Resealer:
    """Finds what is sealed with an older key and replaces it, under the person's lock where it is a person's."""

    def __init__(self, redis: Redis, seal: Seal) -> None:
        self._redis = redis
        self._seal = seal
        self._script = Script("reseal")

    def people(self) -> Iterator[str]:
        """Contact keys of everybody something is kept about."""
        for key in self._redis.scan_iter(f"{PREFIX}person:*", count=500):
            yield str(key).removeprefix(f"{PREFIX}person:")

    def reseal(self, hold: Hold) -> int:
        """Everything of one person; answers how many values were replaced. Raises SealError, when all else is
        replaced, on what no key opens."""
        changes: list[str | int] = []
        problems: list[str] = []
        for place in self._places(hold.key):
            try:
                changes += [place.kind, place.name, place.index, place.around(self._anew(place))]
            except SealError as error:
                problems.append(str(error))
        if changes and self._script(self._redis, hold.key, hold.token, *changes) == "lost":
            raise LockLostError(hold.key)
        if problems:
            raise SealError("; ".join(problems))
        return len(changes) // 4

    def reseal_broadcasts(self) -> None:
        """What broadcasts say, which nothing else ever changes. Raises SealError on what no key opens."""
        ids = [str(id_) for id_ in self._redis.zrange(f"{PREFIX}broadcasts", 0, -1)]
        for id_ in ids:
            key = f"{PREFIX}broadcast:{id_}"
            said = self._redis.hget(key, "said")
            if said and self._is_old(str(said)):
                place = _Place("H", key, "said", str(said), id_, "broadcast")
                self._redis.hset(key, "said", self._anew(place))

    def _places(self, key: str) -> Iterator[_Place]:
        everything = (*self._strings(key), *self._inbox(key), *self._failed(key))
        return (place for place in everything if self._is_old(place.sealed))

    def _strings(self, key: str) -> Iterator[_Place]:
        for field in ("session", "contact"):
            if sealed := self._redis.get(f"{PREFIX}{field}:{key}"):
                yield _Place("S", f"{field}:{key}", "", str(sealed), key, field)
        if last := self._redis.get(f"{PREFIX}last:{key}"):
            yield _entry("S", f"last:{key}", "", str(last), key)

    def _inbox(self, key: str) -> Iterator[_Place]:
        for index, entry in enumerate(self._redis.lrange(f"{PREFIX}inbox:{key}", 0, -1)):
            sid, address, sealed = str(entry).split(" ")
            around = partial("{} {} {}".format, sid, address)
            yield _Place("L", f"inbox:{key}", index, sealed, address, f"inbox {sid}", around)
        for index, entry in enumerate(self._redis.lrange(f"{PREFIX}outbox:{key}", 0, -1)):
            yield _entry("L", f"outbox:{key}", index, str(entry), key)

    def _failed(self, key: str) -> Iterator[_Place]:
        for id_, stored in self._redis.hscan_iter(f"{PREFIX}failed"):
            record = json.loads(stored)
            if record["contact"] == key and record.get("sealed"):
                owner, field = (key, "outbox") if record["kind"] == "reply" else (record["address"], f"inbox {id_}")
                around = partial(_with, record, "sealed")
                yield _Place("H", "failed", str(id_), record["sealed"], owner, field, around)

    def _is_old(self, sealed: str) -> bool:
        return not sealed.startswith(f"{self._seal.current_key_id}:")

    def _anew(self, place: _Place) -> str:
        return self._seal.close(self._seal.open(place.sealed, place.owner, place.field), place.owner, place.field)


def _entry(kind: str, name: str, index: str | int, entry: str, key: str) -> _Place:
    stored = json.loads(entry)
    return _Place(kind, name, index, stored["body"], key, "outbox", partial(_with, stored, "body"))


def _with(stored: dict[str, Any], field: str, sealed: str) -> str:
    return json.dumps(stored | {field: sealed})
