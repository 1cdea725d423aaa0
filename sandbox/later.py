"""Calls to be made after a while, by a few threads."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable


class Later:
    """A timetable of calls. They run in the order of their times, several at once; `stop` forgets the rest."""

    def __init__(self, threads: int = 8) -> None:
        self._calls: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._stopped = False
        for _ in range(threads):
            threading.Thread(target=self._run, daemon=True).start()

    def call(self, seconds: float, function: Callable[[], object]) -> None:
        """Call the function that many seconds from now."""
        with self._changed:
            heapq.heappush(self._calls, (time.monotonic() + seconds, next(self._numbers), function))
            self._changed.notify()

    def stop(self) -> None:
        """Make no further call."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _run(self) -> None:
        while function := self._next():
            function()

    def _next(self) -> Callable[[], object] | None:
        with self._changed:
            while not self._stopped:
                wait = self._calls[0][0] - time.monotonic() if self._calls else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._calls)[2]
                self._changed.wait(wait)
            return None
