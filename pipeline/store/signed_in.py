"""Who has signed in to the dashboard."""

import hmac

from redis import Redis

from pipeline.store import PREFIX

SIGNED_IN_SECONDS = 8 * 3600


class SignedIn:
    """Visits by a keyed hash of their cookie, so that what stands in Redis opens nothing; a new admin token ends them
    all. Raises RedisError."""

    def __init__(self, redis: Redis, admin_token: str) -> None:
        self._redis = redis
        self._secret = admin_token.encode()

    def add(self, visit: str) -> None:
        """From now on, for eight hours."""
        self._redis.set(self._key(visit), 1, ex=SIGNED_IN_SECONDS)

    def includes(self, visit: str) -> bool:
        """Whether this visit is signed in; nobody is while there is no admin token."""
        return bool(self._secret and visit and self._redis.exists(self._key(visit)))

    def remove(self, visit: str) -> None:
        """No longer."""
        self._redis.delete(self._key(visit))

    def _key(self, visit: str) -> str:
        return f"{PREFIX}signed_in:{hmac.new(self._secret, visit.encode(), 'sha256').hexdigest()}"
