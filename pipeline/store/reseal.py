"""Sealing what stands in Redis anew, one person at a time, so that old keys can be removed."""

import json
from collections.abc import Iterator

from redis import Redis

from pipeline.errors import LockLostError
from pipeline.seal import Seal
from pipeline.store import PREFIX
from pipeline.store.script import Script
from pipeline.store.turns import Hold

# Kind of place, name of the key without the prefix, index or field, new value.
_Change = tuple[str, str, str | int, str]


class Resealer:
    """Finds what is sealed with an older key and replaces it under the person's lock."""

    def __init__(self, redis: Redis, seal: Seal) -> None:
        self._redis = redis
        self._seal = seal
        self._script = Script("reseal")

    def people(self) -> Iterator[str]:
        """Contact keys of everybody something is kept about."""
        for key in self._redis.scan_iter(f"{PREFIX}person:*", count=500):
            yield str(key).removeprefix(f"{PREFIX}person:")

    def reseal(self, hold: Hold) -> int:
        """Everything of one person; answers how many values were replaced. Raises SealError on what no key opens."""
        changes = list(self._changes(hold.key))
        if changes:
            flat = [part for change in changes for part in change]
            if self._script(self._redis, hold.key, hold.token, *flat) == "lost":
                raise LockLostError(hold.key)
        return len(changes)

    def _changes(self, key: str) -> Iterator[_Change]:
        for field in ("session", "contact"):
            sealed = self._redis.get(f"{PREFIX}{field}:{key}")
            if sealed and self._is_old(str(sealed)):
                yield "S", f"{field}:{key}", "", self._anew(str(sealed), key, field)
        for index, entry in enumerate(self._redis.lrange(f"{PREFIX}inbox:{key}", 0, -1)):
            sid, address, sealed = str(entry).split(" ")
            if self._is_old(sealed):
                yield "L", f"inbox:{key}", index, f"{sid} {address} {self._anew(sealed, address, f'inbox {sid}')}"
        for index, entry in enumerate(self._redis.lrange(f"{PREFIX}outbox:{key}", 0, -1)):
            if changed := self._entry(str(entry), key):
                yield "L", f"outbox:{key}", index, changed
        last = self._redis.get(f"{PREFIX}last:{key}")
        if last and (changed := self._entry(str(last), key)):
            yield "S", f"last:{key}", "", changed
        yield from self._failed(key)

    def _failed(self, key: str) -> Iterator[_Change]:
        for id_, stored in self._redis.hscan_iter(f"{PREFIX}failed"):
            record = json.loads(stored)
            sealed = record.get("sealed", "")
            if record["contact"] != key or not sealed or not self._is_old(sealed):
                continue
            owner, field = (key, "outbox") if record["kind"] == "reply" else (record["address"], f"inbox {id_}")
            record["sealed"] = self._anew(sealed, owner, field)
            yield "H", "failed", str(id_), json.dumps(record)

    def _entry(self, entry: str, key: str) -> str | None:
        stored = json.loads(entry)
        if not self._is_old(stored["body"]):
            return None
        return json.dumps(stored | {"body": self._anew(stored["body"], key, "outbox")})

    def _is_old(self, sealed: str) -> bool:
        return not sealed.startswith(f"{self._seal.current_key_id}:")

    def _anew(self, sealed: str, owner: str, field: str) -> str:
        return self._seal.close(self._seal.open(sealed, owner, field), owner, field)
