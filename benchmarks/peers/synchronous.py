"""The usual bot: Flask, the session in Redis, the Auth API asked and the reply given as TwiML within the request."""

from html import escape

from flask import Flask, Response, request
from twilio.request_validator import RequestValidator

from benchmarks.peers.turn import reply_to
from pipeline.settings import load

app = Flask(__name__, static_folder=None)
_validator = RequestValidator(load().auth_tokens[0])


@app.post("/webhook")
def message() -> Response:
    """The signature is checked, the turn taken, the reply given."""
    url = f"{load().public_url}/webhook"
    if not _validator.validate(url, request.form, request.headers.get("X-Twilio-Signature", "")):
        return Response(status=403)
    text = reply_to(request.form["From"], request.form["MessageSid"], request.form["Body"])
    twiml = f"<Response><Message>{escape(text)}</Message></Response>"
    return Response(twiml, content_type="text/xml")
