"""How long webhooks take: seen by each web process, added up in Redis now and then, beside the requests."""

import threading
from bisect import bisect_left
from collections import Counter

from redis.exceptions import RedisError

from pipeline.store.tallies import BOUNDS, Tallies

_EVERY_SECONDS = 5.0


class WebhookTimes:
    """The observations of one process; a thread of its own hands them in, from the first one on."""

    def __init__(self, tallies: Tallies) -> None:
        self._tallies = tallies
        self._guard = threading.Lock()
        self._seen: Counter[int] = Counter()
        self._total = 0.0
        self._thread: threading.Thread | None = None

    def add(self, seconds: float) -> None:
        """One webhook was answered after so long."""
        index = bisect_left(BOUNDS, seconds * 1000)
        with self._guard:
            self._seen[BOUNDS[index] if index < len(BOUNDS) else 0] += 1
            self._total += seconds * 1000
            if self._thread is None:
                # Not before: gunicorn forks after the application was made.
                self._thread = threading.Thread(target=self._run, name="webhook-times", daemon=True)
                self._thread.start()

    def hand_in(self) -> None:
        """Adds what was seen to the counters; while Redis is away it is kept."""
        with self._guard:
            seen, total = self._seen, self._total
            self._seen, self._total = Counter(), 0.0
        try:
            if seen:
                self._tallies.add_times("webhook", seen, round(total))
        except RedisError:
            with self._guard:
                self._seen.update(seen)
                self._total += total

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(_EVERY_SECONDS):
            self.hand_in()
