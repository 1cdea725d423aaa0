"""What the peers' workers do: the product's own turn, so that only queue and worker differ."""

import os
import threading

from pipeline import jobs, logs
from pipeline.runtime import Runtime
from pipeline.settings import load

_guard = threading.Lock()
_is_bound = threading.Event()


def nothing() -> None:
    """A job that does nothing."""


def turn(key: str, sid: str) -> None:
    """Looks after the person behind `key`, whose message `sid` has come in by the door."""
    _bind()
    jobs.wake(key, sid)


def redis_url() -> str:
    """Where the queue stands."""
    return os.environ["REDIS_URL"]


def _bind() -> None:
    """Wires the product in this process, before the first turn."""
    with _guard:
        if not _is_bound.is_set():
            settings = load()
            logs.configure(settings.log_level, settings.log_format)
            jobs.bind(Runtime.start(settings))
            _is_bound.set()
