"""A wire between a client and Redis that can be cut at the worst moment: after the command ran, before its answer."""

import socket
import threading
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from redis import Redis

from pipeline.store.script import Script


class RedisProxy:
    """Passes everything on, counts round trips, and loses the answers it is asked to lose."""

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._upstream = ("127.0.0.1", urlsplit(redis_url).port or 6379)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        self.round_trips = 0
        self.lost = 0
        self._wanted: tuple[bytes, ...] = ()
        self._guard = threading.Lock()
        self._sockets: list[socket.socket] = []

    def lose_answer_to(self, *words: str) -> None:
        """The next request that holds one of these is carried out; then the connection breaks instead of its answer."""
        self._wanted = tuple(word.encode() for word in words)

    def lose_answer_of(self, script: str) -> None:
        """The same for the next run of a script of `pipeline/store/lua`."""
        runs = [Script(script), Script(script, about_broadcasts=True)]
        with Redis.from_url(self._redis_url) as direct:
            for ran in runs:
                direct.script_load(ran._text)
        self.lose_answer_to(*(ran._digest for ran in runs))

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # On Linux a close alone does not wake the thread that accepts.
        for each in (self._listener, *self._sockets):
            _cut(each)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._upstream)
            self._sockets += [client, server]
            wire = _Wire(self, client, server)
            threading.Thread(target=wire.carry_requests, daemon=True).start()
            threading.Thread(target=wire.carry_answers, daemon=True).start()

    def asked(self, request: bytes) -> bool:
        """Notes a request; answers whether its answer is to be lost."""
        with self._guard:
            self.round_trips += 1
            is_wanted = any(word in request for word in self._wanted)
            if is_wanted:
                self._wanted = ()
                self.lost += 1
            return is_wanted


class _Wire:
    """One connection of a client, and the one to Redis behind it."""

    def __init__(self, proxy: RedisProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._is_cut = False

    def carry_requests(self) -> None:
        try:
            while request := self._whole_request():
                self._is_cut = self._proxy.asked(request) or self._is_cut
                self._server.sendall(request)
        except OSError:
            pass
        _cut(self._server)

    def _whole_request(self) -> bytes:
        """What the client says in one go: a transaction comes in several pieces, a moment apart at most."""
        self._client.settimeout(None)
        request = piece = self._client.recv(1 << 20)
        self._client.settimeout(0.002)
        while piece:
            try:
                piece = self._client.recv(1 << 20)
                request += piece
            except TimeoutError:
                break
        self._client.settimeout(None)
        return request

    def carry_answers(self) -> None:
        try:
            while answer := self._server.recv(1 << 20):
                if self._is_cut:
                    self._wait_for_the_end()
                    break
                self._client.sendall(answer)
        except OSError:
            pass
        _cut(self._client)

    def _wait_for_the_end(self) -> None:
        """A transaction is answered in pieces: what is lost is the last of them, not the deed."""
        self._server.settimeout(0.05)
        while self._server.recv(1 << 20):
            continue


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    connection.close()
