"""Child processes that go when we go, the folders they own and the ports they listen on."""

import ctypes
import fcntl
import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

# Below the range from which Linux (32768…) and macOS (49152…) take the ports of outgoing connections. A client that
# keeps trying a port of that range while nobody listens there can end up connected to itself, and then holds the port.
PORTS = range(20000, 30000)

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class FolderTaken(RuntimeError):
    """Another running program owns this folder."""


class PortTaken(RuntimeError):
    """Somebody listens on the port that was asked for."""


class FolderLock:
    """The right to use a folder, held until `release` or until the last process that inherited `fd` has gone."""

    def __init__(self, folder: Path) -> None:
        """Take it, making the folder if there is none. Raises FolderTaken at once when it is held elsewhere."""
        folder.mkdir(parents=True, exist_ok=True)
        self.fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self.fd)
            raise FolderTaken(f"{folder} is in use by another running program") from None

    def release(self) -> None:
        """Give it up. A child that inherited it keeps it for as long as it lives."""
        os.close(self.fd)


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens now."""
    for port in random.sample(PORTS, 200):
        if is_free(port):
            return port
    raise PortTaken(f"no free port found between {PORTS.start} and {PORTS.stop}")


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def port_for(setting: str, wanted: str) -> int:
    """The port named by a setting's value, or a free one when the value is empty. Raises PortTaken, naming both."""
    if not wanted:
        return free_port()
    if not wanted.isdecimal() or not 0 < int(wanted) < 65536:
        raise PortTaken(f"{setting}={wanted} is not a port: give a number from 1 to 65535, or leave it unset")
    if not is_free(int(wanted)):
        raise PortTaken(f"{setting}={wanted} is taken: stop what listens there, or leave {setting} unset")
    return int(wanted)


def die_with_parent(with_signal: signal.Signals = signal.SIGKILL) -> None:
    """Ask Linux to send this process a signal when the thread that started it ends (prctl(2)). Elsewhere: nothing."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, with_signal)


def spawn(
    argv: Sequence[str | Path],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    keep_fds: Sequence[int] = (),
) -> "subprocess.Popen[bytes]":
    """Start a child in a session of its own, so that Ctrl-C reaches us and not it, with its output appended to `log`.

    To be called from the main thread: Linux kills the child when the thread that started it ends.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("a child must be started from the main thread, else it is killed when that thread ends")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(word) for word in argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=cwd,
            pass_fds=keep_fds,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, with nothing that could wait for a lock
        )


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log file, for an error message."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else "(no log)"
