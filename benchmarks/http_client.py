"""A light HTTP client for loads: requests that were put together beforehand, over connections that stay open."""

import asyncio
import re
from collections import deque
from collections.abc import Callable

# A connection is renewed after so many requests: those that stay for ever stay with one of the server's processes.
_REQUESTS_EACH = 50
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)

Done = Callable[[int], None]


def whole_message(buffer: bytes | bytearray) -> int:
    """The length of the HTTP message at the start of the buffer, headers and body; 0 while it is not all there."""
    head = buffer.find(b"\r\n\r\n")
    if head < 0:
        return 0
    length = _LENGTH.search(buffer, 0, head + 2)
    end = head + 4 + (int(length[1]) if length else 0)
    return end if len(buffer) >= end else 0


class HttpClient:
    """Connections to one port of this machine, each with one request at a time; further requests wait in line."""

    def __init__(self, port: int, connections: int) -> None:
        self._port = port
        self._most = connections
        self._idle: list[_Connection] = []
        self._all: set[_Connection] = set()
        self._opening = 0
        self._waiting: deque[tuple[bytes, Done]] = deque()

    def post(self, request: bytes, done: Done) -> None:
        """Send it as soon as a connection is free; `done` is called with the status, 0 when there was no answer."""
        if self._idle:
            self._idle.pop().send(request, done)
            return
        self._waiting.append((request, done))
        if len(self._all) + self._opening < self._most:
            self._opening += 1
            asyncio.get_running_loop().create_task(self._open())

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._port)
        except OSError:
            if self._waiting:
                self._waiting.popleft()[1](0)
            return
        finally:
            self._opening -= 1
        self._all.add(connection)
        self.is_free(connection)

    def is_free(self, connection: "_Connection") -> None:
        """The connection can carry the next request, unless it has carried enough."""
        if connection.carried >= _REQUESTS_EACH:
            connection.transport.close()
            self._all.discard(connection)
            if self._waiting:
                self.post(*self._waiting.popleft())
        elif self._waiting:
            connection.send(*self._waiting.popleft())
        else:
            self._idle.append(connection)

    def is_lost(self, connection: "_Connection") -> None:
        """The server closed the connection."""
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    @property
    def is_busy(self) -> bool:
        """Whether requests wait, or have not been answered."""
        return bool(self._waiting) or len(self._idle) < len(self._all)

    def close(self) -> None:
        """Close all connections."""
        for connection in list(self._all):
            connection.transport.close()


class _Connection(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, client: HttpClient) -> None:
        self.carried = 0
        self._client = client
        self._buffer = bytearray()
        self._done: Done | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def send(self, request: bytes, done: Done) -> None:
        self._done = done
        self.carried += 1
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        length = whole_message(self._buffer)
        if length and self._done:
            status = int(self._buffer[9:12])
            del self._buffer[:length]
            done, self._done = self._done, None
            done(status)
            self._client.is_free(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._client.is_lost(self)
        if self._done:
            self._done(0)
