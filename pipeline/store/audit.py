"""Who did what, when: broadcasts, erasures, reveals, key rotations. Opaque keys only; the newest ten thousand lines."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from redis import Redis

from pipeline.store import PREFIX

_KEY = f"{PREFIX}audit"
_AT_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Deed:
    """One line: `about` is a contact key, a broadcast's id, a receipt number, or empty."""

    at: datetime
    who: str
    what: str
    about: str


class Audit:
    """The list; what stands on it stays until newer lines push it out."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def note(self, who: str, what: str, about: str = "") -> None:
        """One more line, with the time of now."""
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.lpush(_KEY, audit_line(who, what, about))
            pipeline.ltrim(_KEY, 0, _AT_MOST - 1)
            pipeline.execute()

    def newest(self, at_most: int = 100) -> list[Deed]:
        """The newest first."""
        lines = [json.loads(line) for line in self._redis.lrange(_KEY, 0, at_most - 1)]
        return [Deed(datetime.fromisoformat(line.pop("at")), **line) for line in lines]


def audit_line(who: str, what: str, about: str = "") -> str:
    """A line as it stands on the list, for whatever script writes it together with the deed."""
    return json.dumps({"at": datetime.now(UTC).isoformat(), "who": who, "what": what, "about": about})
