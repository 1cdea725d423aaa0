"""Twilio's requests to us as bytes, signed and put together ahead of time."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from sandbox.ledger import new_sid
from sandbox.twilio_rest import Account
from sandbox.webhooks import sign

# What a person writes to register, without mistakes.
REGISTRATION = ("Hi", "Asha Devi", "3", "400001", "{phone}", "YES")


@dataclass(frozen=True, slots=True)
class Webhook:
    """One message of a person: the whole HTTP request, and the sid under which its reply will refer to it."""

    sid: str
    request: bytes


def message(account: Account, port: int, address: str, text: str) -> Webhook:
    """A message from `address`."""
    sid = new_sid()
    form = {
        "AccountSid": account.sid,
        "ApiVersion": "2010-04-01",
        "Body": text,
        "From": address,
        "MessageSid": sid,
        "MessageType": "text",
        "NumMedia": "0",
        "NumSegments": "1",
        "ProfileName": "Asha",
        "ReferralNumMedia": "0",
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "SmsStatus": "received",
        "To": account.number,
        "WaId": address.removeprefix("whatsapp:+"),
    }
    return Webhook(sid, _request(account, port, "/webhook", form))


def status_callback(account: Account, port: int, reference: str, sid: str, status: str, address: str) -> bytes:
    """How a message of ours to `address` fares."""
    form = {
        "AccountSid": account.sid,
        "ApiVersion": "2010-04-01",
        "ChannelPrefix": "whatsapp",
        "ChannelToAddress": address.removeprefix("whatsapp:"),
        "From": account.number,
        "MessageSid": sid,
        "MessageStatus": status,
        "SmsSid": sid,
        "SmsStatus": status,
        "StructuredMessage": "false",
        "To": address,
    }
    return _request(account, port, f"/webhook/status?ref={reference}", form)


def registrations(account: Account, port: int, people: int, first: int = 0) -> list[list[Webhook]]:
    """For each of so many people, numbered from `first`, everything they write to register."""
    return [
        [
            message(account, port, f"whatsapp:+9197{number:08}", text.format(phone=f"98{number:08}"))
            for text in REGISTRATION
        ]
        for number in range(first, first + people)
    ]


def one_after_another(everybody: list[list[Webhook]], at_once: int) -> Iterator[Webhook]:
    """All messages, each person's in order, that many people taking turns with one another."""
    for start in range(0, len(everybody), at_once):
        for number in range(len(REGISTRATION)):
            for person in everybody[start : start + at_once]:
                yield person[number]


def _request(account: Account, port: int, path: str, form: dict[str, str]) -> bytes:
    body = urlencode(form)
    signature = sign(account.auth_token, f"http://127.0.0.1:{port}{path}", form.items())
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n"
        f"Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\nContent-Length: {len(body)}\r\n"
        f"I-Twilio-Idempotency-Token: {new_sid('')}\r\nX-Twilio-Signature: {signature}\r\n\r\n{body}"
    ).encode()
