"""How the messages Twilio took from us fare, as its callbacks tell."""

from redis import Redis

from pipeline.errors import Decision
from pipeline.messages import DeliveryStatus
from pipeline.store.script import Script

# Callbacks come twice and in any order; a status replaces only a lower one.
_RANKS = {
    "accepted": 0,
    "scheduled": 1,
    "queued": 1,
    "sending": 2,
    "sent": 3,
    "delivered": 4,
    "read": 5,
    "undelivered": 6,
    "failed": 6,
    "canceled": 6,
}


class Statuses:
    """Delivery statuses by reference."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._script = Script("status", about_broadcasts=True)

    def note(self, status: DeliveryStatus, decision: Decision | None) -> str:
        """Keeps the highest status of a reference, one round trip. `decision` is what its error code means for us.
        Answers `noted`, `failed`, `old` (nothing new) or `unknown` (no such person, or no word of ours for it)."""
        rank = _RANKS.get(status.status)
        if rank is None:
            return "unknown"
        key = status.reference[:32]
        answer = self._script(
            self._redis, key, status.reference, rank, status.status, status.sid, status.code, decision or ""
        )
        return answer.decode() if isinstance(answer, bytes) else str(answer)
