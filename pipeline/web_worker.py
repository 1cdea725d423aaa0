"""gunicorn's worker with threads, made safe from clients that send slowly, or that send nonsense.

Measured of gunicorn 27: a thread that has begun to read a request waits for the rest of it for ever, so as many slow
clients as there are threads would stop everybody. Here a connection waits in the poller, which costs no thread, until
its request is there as a whole. What cannot be read as a request is answered in our own words, and logged without any
of its own: gunicorn would quote it.
"""

import re
import selectors
import socket
import time
from functools import partial
from typing import Any

from gunicorn import util
from gunicorn.glogging import Logger
from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import ThreadWorker

from pipeline import logs
from pipeline.endpoints.plain import HEADERS

log = logs.get(__name__)

# How long a request may take to come in.
_PATIENCE_SECONDS = 10.0
# More than any request that is taken in; a longer one is refused unread.
_MOST_BYTES = 80 * 1024
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*(?:\r\n|$)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)


class OpaqueLogger(Logger):
    """gunicorn's own log lines, written like those of any other library: see `logs`."""

    def setup(self, cfg: Any) -> None:
        """Called by gunicorn at the start and after a reload."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class WholeRequestWorker(ThreadWorker):
    """Gives a connection to a thread when the thread will not have to wait for the client."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What waits: until when, and for how many bytes.
        self._waits: dict[Any, tuple[float, int]] = {}

    def enqueue_req(self, conn: Any) -> None:
        """A connection was opened, or more has come in on it."""
        until, waited_for = self._waits.pop(conn, (time.monotonic() + _PATIENCE_SECONDS, 0))
        wanted = 0 if _is_read_ahead(conn) else _bytes_wanted(conn.sock)
        # Woken without what was waited for: the client has hung up, and the thread will find the end at once.
        if wanted and wanted != waited_for:
            self._waits[conn] = until, wanted
            self._wait_for(conn, wanted)
            return
        if waited_for:
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        conn.data_ready = True
        super().enqueue_req(conn)

    def _wait_for(self, conn: Any, wanted: int) -> None:
        conn.sock.setblocking(False)
        # The poller reports the socket once this much is there to read.
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, wanted)
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def murder_pending(self) -> None:
        """Closes connections whose request did not come in time."""
        now = time.monotonic()
        for conn in [conn for conn in self.pending_conns if self._waits[conn][0] <= now]:
            self.pending_conns.remove(conn)
            del self._waits[conn]
            self.poller.unregister(conn.sock)
            self.nr_conns -= 1
            conn.close()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """400 for what is no request, 503 for whatever went wrong with one."""
        status = "400 Bad Request" if isinstance(exc, ParseException) else "503 Service Unavailable"
        log.warning("unreadable_request", error=exc)
        lines = [f"HTTP/1.1 {status}", "Connection: close", "Content-Length: 0"]
        lines += [f"{name}: {value}" for name, value in HEADERS.items()]
        try:
            util.write_nonblock(client, "\r\n".join([*lines, "", ""]).encode())
        except OSError:
            log.info("answer_not_wanted")


def _is_read_ahead(conn: Any) -> bool:
    """Whether the beginning of the next request was read together with the last one."""
    return conn.parser is not None and bool(conn.parser.unreader.buf.getvalue())


def _bytes_wanted(sock: socket.socket) -> int:
    """How many bytes must be there to read before a thread should look; 0 when there are enough."""
    try:
        arrived = sock.recv(_MOST_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return 1
    except OSError:
        return 0
    head, end, body = arrived.partition(b"\r\n\r\n")
    if not arrived or len(arrived) >= _MOST_BYTES:
        return 0
    if not end or (_CHUNKED.search(head) and not body.endswith(b"0\r\n\r\n")):
        return len(arrived) + 1
    length = _LENGTH.search(head)
    whole = len(head) + len(end) + (int(length[1]) if length else 0)
    return min(whole, _MOST_BYTES) if whole > len(arrived) else 0
