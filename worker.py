"""The worker: a parent that starts worker processes of N threads on our one queue, and restarts what dies.

    python worker.py

The parent does nothing else, so it has nothing to lose. SIGTERM: every child finishes the turn in hand and ends.
"""

import ctypes
import os
import signal
import sys
import threading
import time
from types import FrameType

from redis.exceptions import RedisError

from pipeline import jobs, logs
from pipeline.errors import SettingsError, WrongKeysError
from pipeline.housekeeping import Housekeeping
from pipeline.lean_worker import LeanWorker
from pipeline.pump import Pump
from pipeline.runtime import Runtime
from pipeline.settings import Settings, load

log = logs.get("worker")

_STOP_SECONDS = 25.0
_MOST_BACK_OFF_SECONDS = 5.0
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Runs until SIGTERM or SIGINT; answers the exit code."""
    try:
        settings = load()
        logs.configure(settings.log_level, settings.log_format)
        Runtime.start(settings).close()
    except (SettingsError, WrongKeysError) as error:
        print(error, file=sys.stderr)
        return 1
    except RedisError as error:
        print(f"Redis at REDIS_URL cannot be used: {type(error).__name__}. Is it running?", file=sys.stderr)
        return 1
    return Parent(settings).run()


class Parent:
    """Starts the worker processes and restarts those that die, with a growing pause for those that die at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._started_at: dict[int, float] = {}
        self._is_stopping = False

    def run(self) -> int:
        """The loop. Answers 0 when all ended in time after a signal, 1 when some had to be killed."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        for _ in range(self._settings.worker_processes):
            self._start_child()
        pause = 0.1
        while not self._is_stopping:
            pid, status = _wait_for_child()
            if pid == 0:
                continue
            lived = time.monotonic() - self._started_at.pop(pid)
            pause = 0.1 if lived > 5 else min(pause * 2, _MOST_BACK_OFF_SECONDS)
            log.error("worker_died", pid=pid, status=status, restart_in=pause)
            self._pause(pause)
            if not self._is_stopping:
                self._start_child()
        return self._end_children()

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._is_stopping and time.monotonic() < until:
            time.sleep(0.05)

    def _start_child(self) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            os._exit(_child(self._settings, parent))
        self._started_at[pid] = time.monotonic()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._is_stopping = True

    def _end_children(self) -> int:
        until = time.monotonic() + _STOP_SECONDS
        for pid in self._started_at:
            os.kill(pid, signal.SIGTERM)
        while self._started_at and time.monotonic() < until:
            pid, _ = _wait_for_child()
            self._started_at.pop(pid, None)
        for pid in self._started_at:
            log.error("worker_killed", pid=pid)
            os.kill(pid, signal.SIGKILL)
        return 1 if self._started_at else 0


def _wait_for_child() -> tuple[int, int]:
    """The next child that ended, or (0, 0) after a moment without one."""
    pid, status = os.waitpid(-1, os.WNOHANG)
    if pid == 0:
        time.sleep(0.05)
    return pid, status


def _child(settings: Settings, parent: int) -> int:
    """One worker process. Answers its exit code: 0 after SIGTERM, 1 when a thread died."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    runtime = Runtime.start(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: runtime.stopping.set())
    jobs.bind(runtime)
    threads = [_worker_thread(runtime) for _ in range(settings.worker_threads)]
    keepers = (Housekeeping(runtime), Pump(runtime))
    for thread in (*threads, *keepers):
        thread.start()
    log.info("worker_started", pid=os.getpid(), threads=len(threads))
    while not runtime.stopping.wait(0.5):
        if os.getppid() != parent or not all(thread.is_alive() for thread in (*threads, *keepers)):
            return 1
    for thread in threads:
        thread.stop()
    for thread in threads:
        thread.join(_STOP_SECONDS)
    return 0


class _WorkerThread(threading.Thread):
    """One RQ worker in a thread."""

    def __init__(self, worker: LeanWorker) -> None:
        super().__init__(name=f"worker-{worker.name[:8]}", daemon=True)
        self._worker = worker

    def run(self) -> None:
        self._worker.work(logging_level="WARNING")

    def stop(self) -> None:
        """Ends once the job in hand is done."""
        self._worker.stop()


def _worker_thread(runtime: Runtime) -> _WorkerThread:
    return _WorkerThread(LeanWorker(runtime.wakeups.queue, runtime.wakeups.queue.connection))


if __name__ == "__main__":
    sys.exit(main())
