"""The product's own processes, started by the commands of its Procfile, watched, stopped and killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from sandbox.children import spawn, tail

PROJECT = Path(__file__).resolve().parent.parent
# A worker finishes the turn in hand after a SIGTERM, which takes 10 s at most.
STOP_SECONDS = 15.0

COMMANDS = {
    "web": ("-m", "gunicorn", "-c", "gunicorn.conf.py", "web:app"),
    "worker": ("worker.py",),
    "clock": ("-m", "pipeline", "clock"),
}


class NotHealthy(RuntimeError):
    """A process ended, or /health did not turn 200 in time; the message holds the end of the log."""


class Services:
    """`web`, `clock` and one or several `worker` (named worker, worker2, …), each in a session of its own.

    Start and restart from the main thread. Each writes to its own file in `logs`, begun anew with this object.
    `project` is the folder with the product's code.
    """

    def __init__(self, env: Mapping[str, str], logs: Path, *, workers: int = 1, project: Path = PROJECT) -> None:
        self.env = dict(env)
        self.logs = logs
        self.project = project
        self._commands = {"web": COMMANDS["web"], "clock": COMMANDS["clock"]}
        for number in range(1, workers + 1):
            self._commands["worker" if number == 1 else f"worker{number}"] = COMMANDS["worker"]
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        for name in self._commands:
            self.log(name).unlink(missing_ok=True)

    @property
    def names(self) -> list[str]:
        """The processes that there are."""
        return list(self._commands)

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of what runs now."""
        return {name: child.pid for name, child in self._children.items() if child.poll() is None}

    def log(self, name: str) -> Path:
        """The file with what this process says."""
        return self.logs / f"{name}.log"

    def start(self, *names: str) -> None:
        """Start these, or all."""
        for name in names or self._commands:
            argv = (sys.executable, *self._commands[name])
            self._children[name] = spawn(argv, self.log(name), env=self.env, cwd=self.project)

    def wait_until_healthy(self, seconds: float = 60.0) -> None:
        """Return as soon as /health answers 200 and misses none of our processes. Raises NotHealthy."""
        deadline = time.monotonic() + seconds
        missing = [f"no {name.rstrip('0123456789')} runs" for name in self._children]
        while (health := self._health()) and (not health.startswith("200") or any(one in health for one in missing)):
            if ended := self.ended():
                raise NotHealthy(ended)
            if time.monotonic() > deadline:
                raise NotHealthy(f"not healthy after {seconds:g} s: {health}\n{tail(self.log('web'))}")
            time.sleep(0.1)

    def ended(self) -> str:
        """Which of the processes have ended, and the last that each said; empty when all run."""
        left = ((name, child.poll()) for name, child in self._children.items())
        return "\n".join(
            f"{name} ended with {code}:\n{tail(self.log(name))}" for name, code in left if code is not None
        )

    def kill(self, name: str) -> None:
        """kill -9 of one; the processes that it started notice by themselves."""
        self._children[name].kill()
        self._children[name].wait()

    def restart(self, name: str) -> None:
        """Stop one as a deployment does, and start it again."""
        self.stop(name)
        self.start(name)

    def stop(self, *names: str) -> None:
        """SIGTERM to these, or to all; after 15 s kill -9 to what remains, children of theirs included."""
        ending = [self._children[name] for name in names or tuple(self._children)]
        for child in ending:
            child.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in ending:
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                pass
            kill_session(child)

    def worker_children(self) -> list[int]:
        """The process ids of all worker processes, those that the workers' parents started (Linux)."""
        return [pid for name, parent in self.pids.items() if name.startswith("worker") for pid in _children_of(parent)]

    def web_children(self) -> list[int]:
        """The process ids of those that answer requests, those that gunicorn started (Linux)."""
        return _children_of(self.pids["web"])

    def _health(self) -> str:
        connection = HTTPConnection("127.0.0.1", int(self.env["PORT"]), timeout=5)
        try:
            connection.request("GET", "/health")
            answer = connection.getresponse()
            return f"{answer.status} {answer.read().decode(errors='replace')}"
        except (OSError, HTTPException) as error:
            return f"no answer from /health ({type(error).__name__})"
        finally:
            connection.close()


def kill_session(leader: "subprocess.Popen[bytes]") -> None:
    """kill -9 of a child and of all it started."""
    try:
        os.killpg(leader.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    leader.wait()


def _children_of(parent: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        found.extend(int(pid) for pid in task.read_text().split())
    return found
