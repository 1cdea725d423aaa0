"""The usual bot: Flask, the session in Redis, the Auth API asked and the reply given as TwiML within the request.

The same conversation and the same answers as ours, and less than ours besides: nothing is sealed, de-duplicated, put in
order or made good after a crash.
"""

import json
from datetime import UTC, datetime
from html import escape

from flask import Flask, Response, request
from redis import Redis
from twilio.request_validator import RequestValidator

from benchmarks.peers.turn import redis_url
from pipeline import conversation
from pipeline.auth_api import AuthApi
from pipeline.effects import RequestOtp
from pipeline.messages import Inbound
from pipeline.session import Contact, Person, Session
from pipeline.settings import load

_SESSION_SECONDS = 24 * 3600

app = Flask(__name__, static_folder=None)
_validator = RequestValidator(load().auth_tokens[0])
_redis = Redis.from_url(redis_url(), decode_responses=True)
_auth = AuthApi(load().auth_api_url)


@app.post("/webhook")
def message() -> Response:
    """The signature is checked, the turn taken, the reply given."""
    url = f"{load().public_url}/webhook"
    if not _validator.validate(url, request.form, request.headers.get("X-Twilio-Signature", "")):
        return Response(status=403)
    text = _reply_to(Inbound(request.form["MessageSid"], request.form["From"], request.form["Body"]))
    twiml = f"<Response><Message>{escape(text)}</Message></Response>"
    return Response(twiml, content_type="text/xml")


def _reply_to(inbound: Inbound) -> str:
    key, now = f"peer:{inbound.address}", datetime.now(UTC)
    stored = json.loads(_redis.get(key) or "{}")
    session, contact = stored.get("session"), stored.get("contact")
    person = Person(
        Session.from_json(session) if session else None,
        Contact.from_json(contact) if contact else Contact(inbound.address),
    )
    made = conversation.advance(person, inbound, now, load().desk)
    while isinstance(made.effect, RequestOtp):
        answer = _auth.send_otp(made.effect.details, made.effect.key, inbound.sid)
        made = conversation.advance(made.person, answer, now, load().desk)
    kept = {"contact": made.person.contact.to_json()}
    if made.person.session:
        kept["session"] = made.person.session.to_json()
    _redis.set(key, json.dumps(kept), ex=_SESSION_SECONDS)
    return "\n".join(reply.text for reply in made.replies)
