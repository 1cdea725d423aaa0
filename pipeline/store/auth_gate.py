"""One mark for all workers: the Auth API is down, don't ask it for a while."""

from redis import Redis

from pipeline.store import PREFIX

_DOWN, _FAILURES = f"{PREFIX}auth_down", f"{PREFIX}auth_failures"
_FAILURES_IN_A_ROW = 5
_DOWN_SECONDS = 15


class AuthGate:
    """Closed after five failures in a row, wherever they happened; open again after 15 s, or with the first success."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def is_closed(self) -> bool:
        """Whether the Auth API is known to be down."""
        return bool(self._redis.exists(_DOWN))

    def note(self, answered: bool) -> None:
        """What became of a call."""
        if answered:
            self._redis.delete(_DOWN, _FAILURES)
            return
        failures = self._redis.incr(_FAILURES)
        self._redis.expire(_FAILURES, 600)
        if failures >= _FAILURES_IN_A_ROW:
            self._redis.set(_DOWN, 1, ex=_DOWN_SECONDS)
