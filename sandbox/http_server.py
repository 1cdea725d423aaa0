"""A small HTTP/1.1 server for simulators: keep-alive, a thread a connection, and outages on request."""

import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import parse_qsl, urlsplit

from sandbox.children import free_port


@dataclass(frozen=True)
class Request:
    """What a client asked; header names in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The body as a form; of a repeated name the last value."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def json(self) -> Any:
        """The body as JSON. Raises ValueError."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


class Dropped(Exception):
    """Raised instead of answering: the connection is closed without a word."""


def json_answer(status: int, content: object, **headers: str) -> Answer:
    """An answer in JSON; a keyword `Retry_After="1"` becomes a header."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/json", **named})


class LocalServer:
    """Serves `answer` on 127.0.0.1, from threads of its own; may be stopped and started again on the same port."""

    def __init__(self, answer: Callable[[Request], Answer], port: int = 0) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._answer = answer
        self._server: _Server | None = None
        self._recovery: threading.Timer | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Listen. Raises OSError when the port is taken. Harmless when it listens already."""
        with self._lock:
            if self._server is None:
                self._server = _Server(self.port, self._answer)
                threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Stop listening and cut all connections, also those of requests under way; `refuse_for` is over."""
        with self._lock:
            server, self._server = self._server, None
            if self._recovery is not None:
                self._recovery.cancel()
        if server is not None:
            server.shutdown()
            server.server_close()
            server.cut_connections()

    def refuse_for(self, seconds: float) -> None:
        """An outage: connections are cut, new ones refused, and after that many seconds all is as before."""
        self.stop()
        self._recovery = threading.Timer(seconds, self.start)
        self._recovery.daemon = True
        self._recovery.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, port: int, answer: Callable[[Request], Answer]) -> None:
        self.answer = answer
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Connection)

    def server_bind(self) -> None:
        # HTTPServer's own asks the resolver for our host name, which can take seconds on a laptop without a network.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def cut_connections(self) -> None:
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is its own business; a mistake of the simulator was answered with 500 already."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Headers and body leave in one packet; two of them cost a delayed acknowledgement, 40 ms, each.
    wbufsize = -1

    def answer_request(self) -> None:
        """Read one request, answer it."""
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        try:
            answer = cast(_Server, self.server).answer(Request(self.command, url.path, query, headers, body))
        except Dropped:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = answer_request
    do_POST = answer_request

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: the simulators keep records instead."""
