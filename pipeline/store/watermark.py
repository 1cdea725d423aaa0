"""Up to when Twilio's list of messages to us has been read."""

from datetime import UTC, datetime

from redis import Redis

from pipeline.store import PREFIX

_KEY = f"{PREFIX}watermark"


class Watermark:
    """One moment, kept for all clocks and workers."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def read(self) -> datetime | None:
        """When the list was last read; None when it never was."""
        stored = self._redis.get(_KEY)
        return datetime.fromtimestamp(float(stored), UTC) if stored else None

    def write(self, moment: datetime) -> None:
        """The list has been read up to this moment."""
        self._redis.set(_KEY, moment.timestamp())
