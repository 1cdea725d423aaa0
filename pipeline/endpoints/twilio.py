"""What Twilio calls: messages from people, and how messages of ours fare."""

import time
from urllib.parse import parse_qsl

from flask import Blueprint, Response, g, request
from redis.exceptions import RedisError

from pipeline import logs
from pipeline.endpoints.plain import plain, try_later
from pipeline.errors import WrongKeysError
from pipeline.receiver import Receiver
from pipeline.twilio_api import webhooks
from pipeline.twilio_api.codes import decision_of
from pipeline.webhook_times import WebhookTimes

log = logs.get(__name__)


def blueprint(receiver: Receiver, times: WebhookTimes) -> Blueprint:
    """POST /webhook and POST /webhook/status."""
    routes = Blueprint("twilio", __name__)

    @routes.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @routes.before_request
    def only_from_twilio() -> Response | None:
        return _refusal(receiver)

    @routes.after_request
    def end(response: Response) -> Response:
        times.add(time.perf_counter() - g.began)
        return response

    @routes.post("/webhook")
    def message() -> Response:
        """A message: 200 once it is durable, also when it had come before."""
        inbound = webhooks.inbound(request.form.to_dict())
        if inbound is None:
            return plain(400, "A form with MessageSid and From is expected here.")
        if inbound.sid == webhooks.PROBE_SID:
            return Response("<Response/>", content_type="text/xml", headers={webhooks.PROBE_HEADER: "seen"})
        try:
            if receiver.is_full():
                log.error("redis_full", trace=inbound.sid)
                return try_later()
            outcome = receiver.take(inbound)
        except (RedisError, WrongKeysError) as error:
            log.error("not_taken", error=error, trace=inbound.sid)
            return try_later()
        log.info("received", trace=inbound.sid, outcome=outcome)
        # Empty TwiML: the reply goes out by itself. A text/plain body would be sent to the person as a message.
        return Response("<Response/>", content_type="text/xml")

    @routes.post("/webhook/status")
    def status() -> Response:
        """How a message of ours fares; the query carries our reference to it."""
        told = webhooks.delivery_status(_reference(), request.form.to_dict())
        if told is None:
            return plain(400, "A status callback with our ref, MessageSid and MessageStatus is expected here.")
        trace = logs.trace_of(told.reference)
        try:
            outcome = receiver.note(told, decision_of(told.code))
        except RedisError as error:
            log.error("status_not_noted", error=error, trace=trace, ref=told.reference)
            return try_later()
        log.info("status", trace=trace, ref=told.reference, status=told.status, code=told.code, outcome=outcome)
        return Response(status=204)

    return routes


def _reference() -> str:
    """Our `ref` in the query. Werkzeug would raise on a query that is not UTF-8."""
    query = request.query_string.decode(errors="replace")
    return dict(parse_qsl(query)).get("ref", "")


def _refusal(receiver: Receiver) -> Response | None:
    """Why a webhook is not Twilio's, or not about our account; None when it is."""
    environ = request.environ
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI") or request.full_path.rstrip("?")
    signature = environ.get("HTTP_X_TWILIO_SIGNATURE")
    settings = environ.get("HTTP_X_TWILIO_WEBHOOKS_SIGNATURE_SETTINGS")
    if not receiver.is_signed(target, request.form, signature, settings):
        log.warning("refused", reason="signature", path=request.path)
        return plain(403, "The signature is missing or wrong; is PUBLIC_URL the address that Twilio calls?")
    if not receiver.is_our_account(request.form.get("AccountSid", "")):
        log.warning("refused", reason="account", path=request.path)
        return plain(403, "This is about another Twilio account.")
    return None
