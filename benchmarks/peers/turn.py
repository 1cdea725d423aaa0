"""One turn as the peers take it: the same conversation, the same answers, the session in Redis as plain JSON.

Less than ours does: nothing is sealed, de-duplicated, put in order or made good after a crash.
"""

import json
import os
import threading
from datetime import UTC, datetime
from functools import cache

import requests
from redis import Redis

from pipeline import conversation
from pipeline.auth_api import AuthApi
from pipeline.effects import RequestOtp
from pipeline.messages import Inbound
from pipeline.session import Contact, Person, Session
from pipeline.settings import load

_HOURS = 24 * 3600
_threads = threading.local()


def nothing() -> None:
    """A job that does nothing."""


def turn(address: str, sid: str, text: str) -> None:
    """Takes the turn and sends its reply through Twilio's REST API."""
    send(address, sid, reply_to(address, sid, text))


def reply_to(address: str, sid: str, text: str) -> str:
    """What is said to this message; the session is read and written, the Auth API asked where the turn wants it."""
    redis, key, now = _redis(), f"peer:{address}", datetime.now(UTC)
    stored = json.loads(redis.get(key) or "{}")
    session, contact = stored.get("session"), stored.get("contact")
    person = Person(
        Session.from_json(session) if session else None,
        Contact.from_json(contact) if contact else Contact(address),
    )
    made = conversation.advance(person, Inbound(sid, address, text), now, load().desk)
    while isinstance(made.effect, RequestOtp):
        answer = _auth().send_otp(made.effect.details, made.effect.key, sid)
        made = conversation.advance(made.person, answer, now, load().desk)
    kept = {"contact": made.person.contact.to_json()}
    if made.person.session:
        kept["session"] = made.person.session.to_json()
    redis.set(key, json.dumps(kept), ex=_HOURS)
    return "\n".join(reply.text for reply in made.replies)


def send(address: str, sid: str, text: str) -> None:
    """One POST, over this thread's own connection."""
    settings = load()
    if not hasattr(_threads, "http"):
        _threads.http = requests.Session()
    account = settings.twilio_account_sid
    callback = f"{settings.public_url}/webhook/status?ref={'0' * 32}-{sid}-0"
    form = {"To": address, "From": settings.twilio_whatsapp_number, "Body": text, "StatusCallback": callback}
    url = f"{settings.twilio_api_base_url}/2010-04-01/Accounts/{account}/Messages.json"
    _threads.http.post(url, data=form, auth=settings.rest_credentials, timeout=15).raise_for_status()


@cache
def _redis() -> "Redis":
    return Redis.from_url(load().redis_url, decode_responses=True)


@cache
def _auth() -> AuthApi:
    return AuthApi(load().auth_api_url)


def redis_url() -> str:
    """Where the queue stands."""
    return os.environ["REDIS_URL"]
