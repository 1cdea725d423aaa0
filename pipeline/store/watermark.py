"""Up to when Twilio's list of messages to us has been read, and whether it is to be read again."""

from datetime import UTC, datetime, timedelta

from redis import Redis

from pipeline.store import PREFIX

_KEY, _ASKED = f"{PREFIX}watermark", f"{PREFIX}watermark_asked"
_AT_LEAST_EVERY = timedelta(minutes=5)


class Watermark:
    """Two moments, kept for all clocks and workers: up to when it was read, and when that was asked for last."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def read(self) -> datetime | None:
        """When the list was last read; None when it never was."""
        stored = self._redis.get(_KEY)
        return datetime.fromtimestamp(float(stored), UTC) if stored else None

    def write(self, moment: datetime) -> None:
        """The list has been read up to this moment."""
        self._redis.set(_KEY, moment.timestamp())

    def ask(self, moment: datetime) -> None:
        """Something may have been missed before this moment: the list is to be read beyond it."""
        self._redis.set(_ASKED, moment.timestamp())

    def is_behind(self, now: datetime) -> bool:
        """Whether the list is to be read: it was asked for since the last time, or that was five minutes ago."""
        read = self.read()
        asked = self._redis.get(_ASKED)
        return read is None or now - read >= _AT_LEAST_EVERY or bool(asked and float(asked) > read.timestamp())
