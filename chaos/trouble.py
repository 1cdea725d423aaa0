"""What is done to the processes: killed, rolled, restarted, at planned times, from the main thread."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox.laptop import Laptop

Deed = Literal[
    "kill worker",
    "kill worker parent",
    "freeze worker",
    "roll workers",
    "kill clock",
    "kill web",
    "restart Redis",
    "kill Redis",
    "hang Redis",
    "refuse",
]

REDIS_AWAY_SECONDS = 1.0
REDIS_HANGS_SECONDS = 5.0
REFUSE_SECONDS = 0.4
# Long enough for others to take over what the frozen process had in hand, settlement of doubts included.
FREEZE_SECONDS = (4.0, 22.0)


@dataclass(frozen=True)
class Happening:
    """One deed, from when to when (`time.monotonic()`)."""

    deed: Deed
    began: float
    ended: float


class Trouble:
    """Does to a running service what is due; keeps a record."""

    def __init__(self, laptop: Laptop, timetable: list[tuple[float, Deed]], seed: int) -> None:
        """`timetable`: seconds from `begin` on, and what to do then."""
        self.happened: list[Happening] = []
        self.ended_by_themselves: list[str] = []
        self._laptop = laptop
        self._services = laptop.services
        self._timetable = sorted(timetable)
        self._chance = random.Random(f"{seed}|trouble")
        self._began = time.monotonic()
        self._workers: set[int] = set()
        self._deeds: dict[Deed, Callable[[], object]] = {
            "kill worker": self._kill_worker,
            "kill worker parent": self._kill_parent,
            "freeze worker": self._freeze_worker,
            "roll workers": self._roll,
            "kill clock": self.kill_clock,
            "kill web": self._kill_web,
            "restart Redis": lambda: self._redis(laptop.valkey.stop),
            "kill Redis": lambda: self._redis(laptop.valkey.kill),
            "hang Redis": self._hang_redis,
            "refuse": lambda: laptop.twilio.server.refuse_for(REFUSE_SECONDS),
        }

    def begin(self) -> None:
        """The times of the timetable count from here."""
        self._began = time.monotonic()

    def do_what_is_due(self) -> None:
        """One round: put back what ended by itself, then do what is due."""
        self._put_back()
        while self._timetable and self._timetable[0][0] <= time.monotonic() - self._began:
            self.do(self._timetable.pop(0)[1])

    def do(self, deed: Deed) -> None:
        """Do it now."""
        began = time.monotonic()
        self._deeds[deed]()
        self._workers = self._living_workers()
        lasts = FREEZE_SECONDS[1] if deed == "freeze worker" else 0.0
        self.happened.append(Happening(deed, began, time.monotonic() + lasts))

    @property
    def counted(self) -> Counter[Deed]:
        """How often what was done."""
        return Counter(happening.deed for happening in self.happened)

    def _put_back(self) -> None:
        """A platform starts again what has ended; that it ended unharmed is told."""
        for name in self._services.names:
            if name not in self._services.pids:
                self.ended_by_themselves.append(name)
                self._services.start(name)
        workers = self._living_workers()
        self.ended_by_themselves += ["worker process"] * len(self._workers - workers)
        self._workers = workers

    def _living_workers(self) -> set[int]:
        return {pid for pid in self._services.worker_children() if _is_alive(pid)}

    def _kill_worker(self) -> None:
        workers = sorted(self._living_workers())
        if workers:
            pid = self._chance.choice(workers)
            os.kill(pid, signal.SIGKILL)
            while _is_alive(pid):
                time.sleep(0.001)

    def _freeze_worker(self) -> None:
        """SIGSTOP, and SIGCONT when others have taken over: it must not go on where it was."""
        workers = sorted(self._living_workers())
        if workers:
            pid = self._chance.choice(workers)
            os.kill(pid, signal.SIGSTOP)
            thaw = threading.Timer(self._chance.uniform(*FREEZE_SECONDS), _thaw, (pid,))
            thaw.daemon = True
            thaw.start()

    def _kill_web(self) -> None:
        """kill -9 of one of the processes that answer webhooks; gunicorn starts another."""
        os.kill(self._chance.choice(sorted(self._services.web_children())), signal.SIGKILL)

    def _kill_parent(self) -> None:
        self._kill_and_start(self._chance.choice([name for name in self._services.names if name.startswith("worker")]))

    def _roll(self) -> None:
        for name in self._services.names:
            if name.startswith("worker"):
                self._services.restart(name)

    def kill_clock(self) -> None:
        """kill -9 of the clock, and its restart: at its start it asks Twilio for what was missed."""
        self._kill_and_start("clock")

    def _kill_and_start(self, name: str) -> None:
        self._services.kill(name)
        self._services.start(name)

    def _redis(self, end: Callable[[], None]) -> None:
        end()
        time.sleep(REDIS_AWAY_SECONDS)
        self._laptop.valkey.start()

    def _hang_redis(self) -> None:
        self._laptop.valkey.hang()
        time.sleep(REDIS_HANGS_SECONDS)
        self._laptop.valkey.resume()


def _thaw(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        pass


def _is_alive(pid: int) -> bool:
    """Whether the process is there and not a corpse that its parent has yet to notice (Linux)."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
