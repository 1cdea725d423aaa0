"""The messages that the simulated Twilio has seen, both ways, as its REST API shows them."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import islice
from uuid import uuid4

API = "/2010-04-01/Accounts"
RANKS = {name: rank for rank, name in enumerate(("queued", "sending", "sent", "delivered", "read"))}
FINAL = ("failed", "undelivered")


def new_sid(prefix: str = "SM") -> str:
    """A sid as Twilio makes them: two letters and 32 hexadecimal digits."""
    return prefix + uuid4().hex


@dataclass
class Message:
    """One message. Times: `created_at` and `sent_at` are seconds since the epoch, `clock` is `time.monotonic()`."""

    account_sid: str
    from_: str
    to: str
    body: str
    direction: str
    status: str
    sid: str = field(default_factory=new_sid)
    created_at: float = field(default_factory=time.time)
    clock: float = field(default_factory=time.monotonic)
    sent_at: float | None = None
    error_code: int | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    """Everything that the client posted, StatusCallback and ContentSid for example."""

    def as_json(self) -> dict[str, object]:
        """The resource as Twilio's REST API renders it."""
        uri = f"{API}/{self.account_sid}/Messages/{self.sid}.json"
        return {
            "account_sid": self.account_sid,
            "api_version": "2010-04-01",
            "body": self.body,
            "date_created": _rfc2822(self.created_at),
            "date_sent": None if self.sent_at is None else _rfc2822(self.sent_at),
            "date_updated": _rfc2822(self.sent_at or self.created_at),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": None,
            "from": self.from_,
            "messaging_service_sid": None,
            "num_media": self.form.get("NumMedia", "0"),
            "num_segments": "1",
            "price": None,
            "price_unit": None,
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": uri.replace(".json", "/Media.json")},
            "to": self.to,
            "uri": uri,
        }


class Ledger:
    """All messages in the order in which they were accepted. Safe for threads."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._by_sid: dict[str, Message] = {}
        self._by_recipient: defaultdict[str, list[Message]] = defaultdict(list)
        self._changed = threading.Condition()

    def add(self, message: Message) -> None:
        """Enter a message, and wake whoever waits for one."""
        with self._changed:
            self._messages.append(message)
            self._by_sid[message.sid] = message
            self._by_recipient[message.to].append(message)
            self._changed.notify_all()

    def get(self, sid: str) -> Message | None:
        """The message with this sid."""
        return self._by_sid.get(sid)

    def all(self) -> list[Message]:
        """Every message, oldest first."""
        with self._changed:
            return list(self._messages)

    def sent_to(self, address: str) -> list[Message]:
        """Every message to this address, oldest first."""
        with self._changed:
            return list(self._by_recipient[address])

    def wait_for(self, address: str, count: int, seconds: float) -> list[Message]:
        """All messages to this address as soon as there are `count` of them, or when the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._by_recipient[address]) >= count, seconds)
            return list(self._by_recipient[address])

    def set_status(self, sid: str, status: str, error_code: int | None = None) -> None:
        """Record what became of a message; a status that comes late changes nothing."""
        with self._changed:
            message = self._by_sid[sid]
            if message.status in FINAL or RANKS.get(status, len(RANKS)) <= RANKS[message.status]:
                return
            message.status, message.error_code = status, error_code
            if RANKS.get(status, 0) >= RANKS["sent"]:
                message.sent_at = message.sent_at or time.time()

    def page(self, query: Mapping[str, str], after: str, size: int) -> tuple[list[Message], bool]:
        """Up to `size` messages, newest first, that come after the sid `after` (empty: from the newest on).

        `query` has Twilio's filters: To, From, DateSent, `DateSent>` and `DateSent<`. The second value tells whether
        there are more.
        """
        with self._changed:
            messages = self._by_recipient[query["To"]] if query.get("To") else self._messages
            newest_first = iter(messages[::-1])
        if after:
            for message in newest_first:
                if message.sid == after:
                    break
        found = list(islice(_matching(newest_first, query), size + 1))
        return found[:size], len(found) > size


def _matching(messages: Iterator[Message], query: Mapping[str, str]) -> Iterator[Message]:
    for message in messages:
        if query.get("From") and message.from_ != query["From"]:
            continue
        # Both ends belong to the range, at a resolution of seconds; what was not sent yet matches no date.
        sent = "" if message.sent_at is None else f"{datetime.fromtimestamp(message.sent_at, UTC):%Y-%m-%dT%H:%M:%SZ}"
        day, since, until = (query.get(name, "") for name in ("DateSent", "DateSent>", "DateSent<"))
        if (day or since or until) and not sent:
            continue
        if (day and sent[:10] != day[:10]) or (since and sent < since) or (until and sent[: len(until)] > until):
            continue
        yield message


def _rfc2822(seconds: float) -> str:
    return format_datetime(datetime.fromtimestamp(seconds, UTC))
