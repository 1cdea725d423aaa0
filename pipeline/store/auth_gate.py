"""Marks for all processes: the Auth API is down, don't ask it for a while; and how it was when asked for its health."""

from redis import Redis

from pipeline.store import PREFIX

_DOWN, _FAILURES = f"{PREFIX}auth_down", f"{PREFIX}auth_failures"
_ASKED, _HEALTH = f"{PREFIX}auth_asked", f"{PREFIX}auth_health"
_ASKED_EVERY_SECONDS = 10
_FAILURES_IN_A_ROW = 5
_DOWN_SECONDS = 15


class AuthHealth:
    """What the Auth API's health was when somebody asked last, for all processes. Raises RedisError."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def may_ask(self) -> bool:
        """Whether it is the caller's turn to ask, which nobody else then does for ten seconds."""
        return bool(self._redis.set(_ASKED, 1, nx=True, ex=_ASKED_EVERY_SECONDS))

    def note(self, is_healthy: bool) -> None:
        """What came of it."""
        self._redis.set(_HEALTH, int(is_healthy), ex=3 * _ASKED_EVERY_SECONDS)

    def known(self) -> bool | None:
        """What came of it last; None when nobody knows yet."""
        stored = self._redis.get(_HEALTH)
        return None if stored is None else bool(int(stored))


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
