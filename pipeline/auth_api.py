"""The Auth API, which sends the OTP: one method a call, answers as values, nothing raised."""

import math
import re
import threading
from typing import Any

import requests

from pipeline.effects import AlreadyRegistered, AuthUnavailable, OtpAnswer, OtpRefused, OtpSent, OtpUnderWay
from pipeline.session import Details

_TIMEOUT_SECONDS = (3, 10)
_REGISTERED = re.compile(r"already (been )?(registered|verified)|registered and verified", re.IGNORECASE)


class AuthApi:
    """The Auth API at `base_url`; safe to share, for each thread has a connection of its own."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._threads = threading.local()

    def send_otp(self, details: Details, idempotency_key: str, trace: str) -> OtpAnswer:
        """Asks for an OTP to `details.phone`. `idempotency_key` is the same in every repeat of one wish, `trace` ties
        the call to the message that caused it."""
        try:
            answer = self._session.post(
                f"{self._base_url}/api/send-otp",
                json={
                    "phone_number": details.phone,
                    "user_type": "MSME",
                    "metadata": {
                        "source": "whatsapp",
                        "onboarding_data": {
                            "name": details.name,
                            "sector": details.sector,
                            "pincode": details.pincode,
                        },
                    },
                },
                headers={"Idempotency-Key": idempotency_key, "X-Request-ID": trace},
                timeout=_TIMEOUT_SECONDS,
                allow_redirects=False,
            )
            said = answer.json()
        except (requests.RequestException, ValueError):
            return AuthUnavailable()
        if (answer.status_code == 429 and not _resend_seconds(said)) or answer.status_code >= 500:
            return AuthUnavailable()
        return _meaning(said, answer.ok)

    def is_healthy(self) -> bool:
        """Whether it answers at all: any answer below 500 within 2 s."""
        try:
            return requests.get(f"{self._base_url}/health", timeout=(1, 1), allow_redirects=False).status_code < 500
        except requests.RequestException:
            return False

    @property
    def _session(self) -> requests.Session:
        if not hasattr(self._threads, "session"):
            self._threads.session = requests.Session()
        session = self._threads.session
        assert isinstance(session, requests.Session)
        return session


def _meaning(said: Any, ok: bool) -> OtpAnswer:
    if not isinstance(said, dict) or not isinstance(said.get("success"), bool):
        return AuthUnavailable() if ok else OtpRefused()
    if said["success"]:
        return OtpSent() if ok else OtpRefused()
    if seconds := _resend_seconds(said):
        return OtpUnderWay(seconds)
    words = " ".join(str(said.get(name, "")) for name in ("message", "error", "detail"))
    if _REGISTERED.search(words):
        return AlreadyRegistered()
    return OtpRefused()


def _resend_seconds(said: Any) -> int:
    """`can_resend_in` where the answer has it, at least 1; 0 where it has not."""
    value = said.get("can_resend_in") if isinstance(said, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return 0
    return max(1, round(value))
