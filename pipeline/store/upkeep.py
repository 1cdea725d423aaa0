"""Entries of lists that hold many people outlive their time, as no TTL is their own. The clock has them removed."""

from datetime import datetime, timedelta

from redis import Redis

from pipeline.session import STEPS
from pipeline.store import PREFIX, milliseconds
from pipeline.store.failures import Failures

_AT_MOST = 1000
# As BROADCAST_LIFE in lua/prelude_broadcasts.lua.
_BROADCAST_DAYS = 90


class Upkeep:
    """Removes what is older than the retention times of the settings allow; doing it twice is harmless."""

    def __init__(self, redis: Redis, failures: Failures, contact_days: int, failed_days: int) -> None:
        self._redis = redis
        self._failed_list = failures
        self._contact = timedelta(days=contact_days)
        self._failed = timedelta(days=failed_days)

    def remove_old(self, now: datetime) -> int:
        """Removes what is too old at `now`, and answers how many entries that were; a backlog takes several calls."""
        return self._sessions(now) + self._people(now) + self._failures(now) + self._broadcasts(now)

    def _sessions(self, now: datetime) -> int:
        return self._cut([f"{PREFIX}live:{step}" for step in STEPS], milliseconds(now))

    def _people(self, now: datetime) -> int:
        lists = [f"{PREFIX}people:{step}" for step in STEPS]
        return self._cut([*lists, f"{PREFIX}support"], milliseconds(now - self._contact))

    def _failures(self, now: datetime) -> int:
        return self._failed_list.forget_before(now - self._failed)

    def _broadcasts(self, now: datetime) -> int:
        """A broadcast that is over goes by its TTL; the list of all forgets it here."""
        since = milliseconds(now - timedelta(days=_BROADCAST_DAYS))
        found = self._redis.zrangebyscore(f"{PREFIX}broadcasts", "-inf", since, start=0, num=_AT_MOST)
        old = [str(one) for one in found]
        gone = [one for one in old if not self._redis.exists(f"{PREFIX}broadcast:{one}")]
        return int(self._redis.zrem(f"{PREFIX}broadcasts", *gone)) if gone else 0

    def _cut(self, lists: list[str], until: int) -> int:
        with self._redis.pipeline(transaction=False) as pipeline:
            for name in lists:
                pipeline.zremrangebyscore(name, "-inf", until)
            return sum(pipeline.execute())
