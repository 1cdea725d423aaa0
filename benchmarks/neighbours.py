"""Twilio and the Auth API as the benchmarks need them: always well, exactly as slow as told, and light.

The simulators of `sandbox/` keep records and can misbehave, at the cost of a thread a connection and about 0.6 ms CPU a
request. At hundreds of messages a second on the same two cores that would be measured instead of the product.
"""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from benchmarks.http_client import HttpClient, whole_message
from benchmarks.webhooks import status_callback
from sandbox.ledger import Message, new_sid
from sandbox.twilio_rest import Account

_REFERENCE = re.compile(rb"StatusCallback=[^&]*%3Fref%3D([0-9A-Za-z-]+)")
_TO = re.compile(rb"(?:^|&)To=([^&]*)")
_SAMPLE_SID = "SM" + "0" * 32


@dataclass
class Behaviour:
    """How the neighbours answer."""

    twilio_seconds: float = 0.0
    auth_seconds: float = 0.0
    statuses: tuple[str, ...] = ()
    status_seconds: float = 0.05
    """From the acceptance to the first status callback, and from each to the next."""
    hangs: bool = False
    """No request is ever answered."""
    on_send: Callable[[str], None] = field(default=lambda reference: None)
    """Called with our reference when the POST of a message has reached Twilio."""


class Neighbours:
    """Both services on one port, in the running event loop."""

    def __init__(self, account: Account, web_port: int) -> None:
        self.behaviour = Behaviour()
        self.account = account
        self.callbacks = HttpClient(web_port, connections=16)
        self._web_port = web_port
        self._accepted = _accepted_answer(account)
        self._otp = _answer(200, {"success": True, "message": "OTP sent", "expires_in": 300})
        self._empty_list = _answer(200, {"messages": [], "next_page_uri": None, "page": 0, "page_size": 100})
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", port, backlog=1024)

    async def stop(self) -> None:
        """Stop listening."""
        self.callbacks.close()
        if self._server:
            self._server.close()

    def answer(self, request: bytes, reply: Callable[[bytes], None]) -> None:
        """Answer one request, now or later."""
        behaviour, loop = self.behaviour, asyncio.get_running_loop()
        if behaviour.hangs:
            return
        if request.startswith(b"POST /api/send-otp"):
            loop.call_later(behaviour.auth_seconds, reply, self._otp)
        elif request.startswith(b"POST"):
            loop.call_later(behaviour.twilio_seconds, reply, self._send(request))
        else:
            reply(self._empty_list)

    def _send(self, request: bytes) -> bytes:
        behaviour, sid = self.behaviour, new_sid()
        reference = _REFERENCE.search(request)
        if reference:
            behaviour.on_send(reference[1].decode())
            to = _TO.search(request, request.index(b"\r\n\r\n") + 4)
            address = unquote_plus(to[1].decode()) if to else ""
            for number, status in enumerate(behaviour.statuses, 1):
                after = behaviour.twilio_seconds + number * behaviour.status_seconds
                asyncio.get_running_loop().call_later(after, self._tell, reference[1].decode(), sid, status, address)
        return self._accepted.replace(_SAMPLE_SID.encode(), sid.encode())

    def _tell(self, reference: str, sid: str, status: str, address: str) -> None:
        request = status_callback(self.account, self._web_port, reference, sid, status, address)
        self.callbacks.post(request, lambda status: None)


class _Connection(asyncio.Protocol):
    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while length := whole_message(self._buffer):
            request = bytes(self._buffer[:length])
            del self._buffer[:length]
            self._neighbours.answer(request, self._reply)

    def _reply(self, answer: bytes) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(answer)


def _accepted_answer(account: Account) -> bytes:
    """Twilio's answer to a message it takes, of the usual size."""
    message = Message(account.sid, account.number, "whatsapp:+919800000000", "…", "outbound-api", "queued", _SAMPLE_SID)
    return _answer(201, message.as_json())


def _answer(status: int, content: object) -> bytes:
    body = json.dumps(content).encode()
    head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
