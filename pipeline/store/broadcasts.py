"""Broadcasts in Redis: made once, handed out at their pace, each recipient's row moved by scripts only."""

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from redis import Redis

from pipeline.broadcast import Broadcast, Content, Recipient
from pipeline.seal import Seal
from pipeline.store import PREFIX, milliseconds
from pipeline.store.script import Call, Script
from pipeline.store.turns import Hold

_CONTENTS_AT_MOST = 64
# Of keys and times; a script that took more would hold up replies.
_ADDED_AT_ONCE = 2000

Wish = Literal["start", "run", "pause", "resume", "cancel"]


class Broadcasts:
    """All broadcasts."""

    def __init__(self, redis: Redis, seal: Seal) -> None:
        self._redis = redis
        self._seal = seal
        self._contents: dict[str, Content] = {}
        self._create = Script("broadcast_create", about_broadcasts=True)
        self._snapshot = Script("broadcast_snapshot", about_broadcasts=True)
        self._control = Script("broadcast_control", about_broadcasts=True)
        self._assign = Script("broadcast_assign", about_broadcasts=True)
        self._release = Script("broadcast_release", about_broadcasts=True)
        self._retry = Script("broadcast_retry", about_broadcasts=True)

    def create(self, id_: str, content: Content, name: str, step: str, send_at: datetime) -> bool:
        """Makes a broadcast; False when one with this id is there already."""
        said = json.dumps({"text": content.text, "variables": content.variables})
        fields = {
            "name": name,
            "step": step,
            "content_sid": content.content_sid,
            "said": self._seal.close(said, id_, "broadcast"),
        }
        flat = [part for pair in fields.items() for part in pair]
        call = secrets.token_hex(8)
        return bool(self._create(self._redis, id_, milliseconds(send_at), call, *flat) == "created")

    def find(self, id_: str) -> Broadcast | None:
        """One, by its id. Raises SealError."""
        stored: Any = self._redis.hgetall(f"{PREFIX}broadcast:{id_}")
        return self._broadcast(id_, stored) if stored else None

    def content(self, id_: str) -> Content:
        """What a broadcast says; it never changes, so it is read once a process, not once a recipient."""
        if id_ not in self._contents:
            if len(self._contents) >= _CONTENTS_AT_MOST:
                self._contents.clear()
            broadcast = self.find(id_)
            self._contents[id_] = broadcast.content if broadcast else Content()
        return self._contents[id_]

    def newest(self, at_most: int = 50) -> list[Broadcast]:
        """The newest first."""
        return self._found(self._redis.zrange(f"{PREFIX}broadcasts", 0, at_most - 1, desc=True))

    def open(self) -> list[Broadcast]:
        """Those that are not over."""
        return self._found(self._redis.zrange(f"{PREFIX}broadcasts_open", 0, -1))

    def control(self, id_: str, wish: Wish, reason: str = "") -> str:
        """Asks for a change of state; answers the state it is in afterwards, or `unknown`."""
        return str(self._control(self._redis, id_, wish, reason))

    def add(self, id_: str, is_free: bool, people: Iterable[tuple[str, float]]) -> int:
        """Puts people (contact key, last inbound in milliseconds) on the list; answers how many were new to it, or -1
        when the list is not being made any more."""
        flat = [part for key, last_in in people for part in (key, int(last_in))]
        added = 0
        for start in range(0, len(flat), _ADDED_AT_ONCE):
            answer = int(self._snapshot(self._redis, id_, int(is_free), *flat[start : start + _ADDED_AT_ONCE]))
            if answer < 0:
                return answer
            added += answer
        return added

    def assign(self, messages_per_second: float, most_in_hand: int) -> list[str]:
        """Hands out the next recipients; answers the keys of the people to wake."""
        keys: list[str] = self._assign(self._redis, messages_per_second, most_in_hand)
        return keys

    def to_start(self) -> list[tuple[str, datetime]]:
        """Ids of those that wait for their start, or whose list is being made, with the time they start."""
        found: Any = self._redis.zrange(f"{PREFIX}broadcasts_open", 0, -1, withscores=True)
        return [
            (id_, _moment(send_at))
            for id_, send_at in found
            if self._redis.hget(f"{PREFIX}broadcast:{id_}", "state") in ("scheduled", "preparing")
        ]

    def are_open(self) -> bool:
        """Whether there is anything to hand out, cheaply."""
        return bool(self._redis.exists(f"{PREFIX}broadcasts_open"))

    def release_call(self, hold: Hold, id_: str, address: str, content: Content, at: datetime) -> Call[None]:
        """Moves a recipient's message to their outbox, or skips them; under their lock. Raises LockLostError."""
        entry = ""
        if address:
            said = {"to": address, "text": content.text}
            if content.is_template:
                said |= {"content_sid": content.content_sid, "variables": content.variables}
            entry = json.dumps(
                {
                    "at": milliseconds(at),
                    "body": self._seal.close(json.dumps(said), hold.key, "outbox"),
                    "broadcast": id_,
                    "template": content.is_template,
                }
            )
        return Call(self._release, (hold.key, hold.token, id_, entry, int(not content.is_template)), hold.heed)

    def retry(self, id_: str, keys: Iterable[str]) -> int:
        """Puts failed recipients back on the list; answers how many."""
        chosen = list(keys)
        return int(self._retry(self._redis, id_, *chosen)) if chosen else 0

    def recipients(self, id_: str) -> Iterator[Recipient]:
        """Every row, in no order."""
        for key, row in self._redis.hscan_iter(f"{PREFIX}broadcast_rows:{id_}", count=1000):
            state, detail, at, _ = str(row).split(" ")
            yield Recipient(str(key), state, "" if detail == "0" else detail, _moment(at))

    def _found(self, ids: Any) -> list[Broadcast]:
        return [broadcast for id_ in ids if (broadcast := self.find(str(id_)))]

    def _broadcast(self, id_: str, stored: Mapping[str, str]) -> Broadcast:
        said = json.loads(self._seal.open(stored["said"], id_, "broadcast"))
        counts = {name: int(stored.get(f"n_{name}", 0)) for name in _COUNTERS}
        state: Any = stored["state"]
        step: Any = stored["step"]
        return Broadcast(
            id=id_,
            state=state,
            content=Content(said["text"], stored["content_sid"], said["variables"]),
            name=stored["name"],
            step=step,
            created_at=_moment(stored["created_at"]),
            send_at=_moment(stored["send_at"]),
            started_at=_moment(stored["started_at"]) if "started_at" in stored else None,
            finished_at=_moment(stored["finished_at"]) if "finished_at" in stored else None,
            reason=stored.get("reason", ""),
            **counts,
        )


_COUNTERS = ("total", "open", "sent", "delivered", "read", "failed", "skipped")


def _moment(milliseconds: str) -> datetime:
    return datetime.fromtimestamp(float(milliseconds) / 1000, UTC)
