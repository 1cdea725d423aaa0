"""A simulated Auth API: `POST /api/send-otp`, `GET /health`, and what can go wrong with them.

    with FakeAuth() as auth:
        auth.faults = FaultPlan(script=["500", "dropped_after"])

As a process of its own: `python -m sandbox.auth --port 8001`, steered over HTTP in JSON:

    GET  /sandbox/calls               every call, oldest first
    POST /sandbox/faults              {a FaultPlan}
    POST /sandbox/verified            {"phone_number": "+91…"}: that number is registered from now on
    POST /sandbox/outage              {"seconds": 2}: connections are cut and refused meanwhile
"""

import json
import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import click

from sandbox.faults import FaultPlan, answer_with
from sandbox.http_server import Answer, LocalServer, Request, json_answer

PHONE = re.compile(r"\+91[6-9]\d{9}")


@dataclass(frozen=True)
class Call:
    """One request for an OTP, whatever became of it. `clock` is `time.monotonic()`."""

    body: Any
    idempotency_key: str
    request_id: str
    clock: float


@dataclass(frozen=True)
class Otp:
    """A one-time password that went out by SMS."""

    phone: str
    code: str
    clock: float


class FakeAuth:
    """Sends OTPs to nobody. `cooldown`: seconds before one number can have another OTP."""

    def __init__(self, *, port: int = 0, cooldown: float = 30.0, on_otp: Callable[[Otp], None] | None = None) -> None:
        """`on_otp` is called with each OTP, from a thread of the server."""
        self.cooldown = cooldown
        self.faults = FaultPlan()
        self.verified: set[str] = set()
        self.calls: list[Call] = []
        self.otps: list[Otp] = []
        self.server = LocalServer(self._answer, port)
        self.url = self.server.url
        self._on_otp = on_otp
        self._answers: dict[str, dict[str, object]] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to answer. Raises OSError when the port is taken."""
        self.server.start()

    def stop(self) -> None:
        """Stop answering."""
        self.server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answer(self, request: Request) -> Answer:
        if request.path.startswith("/sandbox/"):
            return self._control(request)
        if (request.method, request.path) == ("GET", "/health"):
            return json_answer(200, {"status": "healthy"})
        if (request.method, request.path) != ("POST", "/api/send-otp"):
            return json_answer(404, {"success": False, "message": "Not found"})
        try:
            body = request.json()
        except ValueError:
            return json_answer(400, {"success": False, "message": "The body is not JSON"})
        headers = request.headers
        call = Call(body, headers.get("idempotency-key", ""), headers.get("x-request-id", ""), time.monotonic())
        self.calls.append(call)
        # The key is new in each run; what is asked for tells a request apart.
        fate = json.dumps(body, sort_keys=True)
        return answer_with(self.faults, fate, lambda: self._send_otp(call), _error)

    def _send_otp(self, call: Call) -> Answer:
        phone = call.body.get("phone_number") if isinstance(call.body, dict) else None
        if not isinstance(phone, str) or not PHONE.fullmatch(phone):
            return json_answer(422, {"success": False, "message": "phone_number must be an Indian mobile number"})
        with self._lock:
            known = self._answers.get(call.idempotency_key)
            if known:
                return json_answer(200, known)
            refusal = self._refusal(phone)
            if refusal:
                return json_answer(200, refusal)
            otp = Otp(phone, f"{random.randrange(10**6):06}", time.monotonic())
            self.otps.append(otp)
            answer: dict[str, object] = {"success": True, "message": "OTP sent", "expires_in": 300}
            if call.idempotency_key:
                self._answers[call.idempotency_key] = answer
        if self._on_otp:
            self._on_otp(otp)
        return json_answer(200, answer)

    def _refusal(self, phone: str) -> dict[str, object] | None:
        """Why this number gets no OTP now."""
        if phone in self.verified:
            return {"success": False, "message": "This phone number is already registered and verified"}
        last = max((otp.clock for otp in self.otps if otp.phone == phone), default=None)
        left = 0.0 if last is None else self.cooldown - (time.monotonic() - last)
        if left <= 0:
            return None
        return {"success": False, "message": "An OTP was sent a moment ago", "can_resend_in": int(left) + 1}

    def _control(self, request: Request) -> Answer:
        wish = request.path.removeprefix("/sandbox/")
        try:
            asked = request.json() if request.method == "POST" else {}
            if wish == "calls":
                return json_answer(200, [vars(call) for call in self.calls])
            if wish == "faults":
                self.faults = FaultPlan(**asked)
            elif wish == "verified":
                self.verified.add(asked["phone_number"])
            elif wish == "outage":
                seconds = float(asked["seconds"])
                threading.Timer(0.05, lambda: self.server.refuse_for(seconds)).start()
            else:
                return json_answer(404, {"error": f"there is no /sandbox/{wish}"})
        except (KeyError, TypeError, ValueError) as wrong:
            return json_answer(400, {"error": str(wrong)})
        return json_answer(200, {"ok": True})


def _error(status: int, retry_after: int) -> Answer:
    headers = {"Retry_After": str(retry_after)} if status in (429, 503) else {}
    return json_answer(status, {"success": False, "message": "The service has a problem"}, **headers)


@click.command()
@click.option("--port", type=int, default=0, help="Where to listen; a free port by default.")
@click.option("--cooldown", type=float, default=30.0, show_default=True, help="Seconds between two OTPs to one number.")
def main(port: int, cooldown: float) -> None:
    """Run a simulated Auth API until interrupted; prints its base URL."""
    with FakeAuth(port=port, cooldown=cooldown) as auth:
        click.echo(auth.url)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
