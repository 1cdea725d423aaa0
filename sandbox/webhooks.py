"""HTTP requests as Twilio makes them: signed, within its deadline, repeated by its rules.

Signature: https://www.twilio.com/docs/usage/security#validating-requests
Connection overrides (`#rc=…`): https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Iterable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import parse_qsl, urldefrag, urlencode, urlsplit

from sandbox.ledger import new_sid

DEADLINE_SECONDS = 15.0

Form = list[tuple[str, str]]


def sign(auth_token: str, url: str, form: Iterable[tuple[str, str]]) -> str:
    """The value of X-Twilio-Signature for a form posted to `url` (without fragment)."""
    text = url + "".join(name + value for name, value in sorted(set(form)))
    return base64.b64encode(hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()).decode()


@dataclass(frozen=True)
class Overrides:
    """How often a request is repeated, and after what: by default once, when no connection could be made."""

    retries: int = 1
    after: frozenset[str] = frozenset({"ct"})
    """Of ct (no connection), rt (no answer in time), 4xx, 5xx, all."""
    connect_seconds: float = 5.0
    read_seconds: float = DEADLINE_SECONDS

    @classmethod
    def of(cls, url: str) -> "Overrides":
        """Those in the fragment of a webhook's URL, such as `#rc=3&rp=5xx,ct,rt&ct=2000&rt=5000`."""
        named = dict(parse_qsl(urldefrag(url).fragment))
        return cls(
            retries=int(named.get("rc", cls.retries)),
            after=frozenset(named["rp"].split(",")) if "rp" in named else cls.after,
            connect_seconds=int(named.get("ct", cls.connect_seconds * 1000)) / 1000,
            read_seconds=int(named.get("rt", cls.read_seconds * 1000)) / 1000,
        )

    def cover(self, failure: str) -> bool:
        """Whether a request that ended so is repeated. `failure` is empty after a success."""
        return bool(failure) and ("all" in self.after or failure in self.after)


@dataclass(frozen=True)
class Delivery:
    """How a request to the product ended: its last answer, or no answer."""

    sid: str
    status: int | None = None
    body: str = ""
    failure: str = ""
    """Empty, or ct (no connection), rt (no answer in time), 4xx, 5xx, in the words of the overrides."""
    tries: int = 0
    seconds: float = 0.0

    @property
    def acknowledged(self) -> bool:
        """Whether the product took it."""
        return self.status is not None and 200 <= self.status < 300


def deliver(url: str, auth_token: str, form: Form, sid: str = "") -> Delivery:
    """Post a signed form, and again by the URL's overrides, all within Twilio's deadline."""
    overrides, target = Overrides.of(url), urldefrag(url).url
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "X-Twilio-Signature": sign(auth_token, target, form),
        "I-Twilio-Idempotency-Token": new_sid(""),
        "User-Agent": "TwilioProxy/1.1",
        "Connection": "close",
    }
    started, seconds, tries = time.monotonic(), 0.0, 0
    while True:
        tries += 1
        status, body, failure = _post(target, urlencode(form), headers, overrides, DEADLINE_SECONDS - seconds)
        seconds = time.monotonic() - started
        if tries > overrides.retries or not overrides.cover(failure) or seconds >= DEADLINE_SECONDS:
            return Delivery(sid, status, body, failure, tries, seconds)


def _post(
    url: str, body: str, headers: dict[str, str], overrides: Overrides, left: float
) -> tuple[int | None, str, str]:
    """One try, of at most `left` seconds: status, body and failure."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.netloc, timeout=min(overrides.connect_seconds, left))
    started = time.monotonic()
    try:
        connection.connect()
    except OSError:
        return None, "", "ct"
    try:
        connection.sock.settimeout(max(0.001, min(overrides.read_seconds, left - (time.monotonic() - started))))
        connection.request("POST", (parts.path or "/") + ("?" + parts.query if parts.query else ""), body, headers)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
    except (OSError, HTTPException):
        return None, "", "rt"
    finally:
        connection.close()
    return answer.status, text, f"{answer.status // 100}xx" if answer.status >= 400 else ""
