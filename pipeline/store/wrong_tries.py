"""How often an address guessed at a token of ours within the last minute."""

import hashlib

from redis import Redis

from pipeline.store import PREFIX

_AT_MOST = 10
_SECONDS = 60


class WrongTries:
    """Counts wrong tries by caller; a network address is kept for a minute, as a hash."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def are_too_many(self, caller: str) -> bool:
        """Whether this caller has guessed ten times within a minute."""
        return int(self._redis.get(_key(caller)) or 0) >= _AT_MOST

    def count(self, caller: str) -> None:
        """One more."""
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.incr(_key(caller))
            pipeline.expire(_key(caller), _SECONDS, nx=True)
            pipeline.execute()


def _key(caller: str) -> str:
    return f"{PREFIX}wrong_tries:{hashlib.sha256(caller.encode()).hexdigest()[:16]}"
