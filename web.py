"""The HTTP surface. It decides nothing: it checks who is asking, makes durable what came, and answers.

gunicorn -c gunicorn.conf.py web:app
"""

import time
from datetime import UTC, datetime

from flask import Flask, Response, jsonify, request
from redis.exceptions import RedisError
from werkzeug.exceptions import HTTPException

from pipeline import logs
from pipeline.auth_api import AuthApi
from pipeline.errors import WrongKeysError
from pipeline.receiver import Receiver
from pipeline.settings import Settings, load
from pipeline.twilio_api import webhooks
from pipeline.twilio_api.codes import decision_of

log = logs.get("web")

_MOST_BYTES = 64 * 1024


def create_app(settings: Settings) -> Flask:
    """The application with these settings."""
    logs.configure(settings.log_level)
    app = Flask(__name__, static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=_MOST_BYTES, MAX_FORM_MEMORY_SIZE=_MOST_BYTES)
    receiver = Receiver(settings)
    auth = AuthApi(settings.auth_api_url)
    started = time.monotonic()

    @app.post("/webhook")
    def webhook() -> Response:
        """A message from Twilio: 200 once it is durable, also when it had come before."""
        refused = _refusal(receiver)
        if refused:
            return refused
        inbound = webhooks.inbound(request.form)
        if inbound is None:
            return _plain(400, "A form with MessageSid and From is expected here.")
        try:
            if receiver.is_full():
                log.error("redis_full", trace=inbound.sid)
                return _try_later()
            outcome = receiver.take(inbound)
        except (RedisError, WrongKeysError) as error:
            log.error("not_taken", error=error, trace=inbound.sid)
            return _try_later()
        log.info("received", trace=inbound.sid, outcome=outcome)
        # Empty TwiML: the reply goes out by itself. A text/plain body would be sent to the person as a message.
        return Response("<Response/>", content_type="text/xml")

    @app.post("/webhook/status")
    def status() -> Response:
        """How a message of ours fares; the query carries our reference to it."""
        refused = _refusal(receiver)
        if refused:
            return refused
        told = webhooks.delivery_status(request.args.get("ref", ""), request.form)
        if told is None:
            return _plain(400, "A status callback with our ref, MessageSid and MessageStatus is expected here.")
        try:
            outcome = receiver.note(told, decision_of(told.code))
        except RedisError as error:
            log.error("status_not_noted", error=error, ref=told.reference)
            return _try_later()
        log.info("status", ref=told.reference, status=told.status, code=told.code, outcome=outcome)
        return Response(status=204)

    @app.get("/health")
    def health() -> tuple[Response, int]:
        """Whether Redis and the Auth API can be reached."""
        redis_is_there = receiver.is_reachable()
        services = {
            "redis": "healthy" if redis_is_there else "unhealthy",
            "auth_service": "healthy" if auth.is_healthy() else "unhealthy",
        }
        overall = "unhealthy" if not redis_is_there else "degraded" if "unhealthy" in services.values() else "healthy"
        answer = jsonify(
            status=overall,
            timestamp=datetime.now(UTC).isoformat(),
            services=services,
            uptime_seconds=round(time.monotonic() - started),
        )
        return answer, 200 if redis_is_there else 503

    @app.get("/health/live")
    def live() -> Response:
        """That this process answers at all."""
        return _plain(200, "alive")

    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> Response:
        response = _plain(error.code or 500, error.name)
        if isinstance(getattr(error, "valid_methods", None), list):
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))  # type: ignore[attr-defined]
        return response

    @app.errorhandler(Exception)
    def fail(error: Exception) -> Response:
        log.error("request_failed", error=error, path=request.url_rule.rule if request.url_rule else "")
        return _try_later()

    return app


def _refusal(receiver: Receiver) -> Response | None:
    """Why a webhook is not Twilio's, or not about our account; None when it is."""
    target = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or request.full_path.rstrip("?")
    signature = request.headers.get("X-Twilio-Signature")
    settings = request.headers.get("X-Twilio-Webhooks-Signature-Settings")
    if not receiver.is_signed(target, request.form, signature, settings):
        log.warning("refused", reason="signature", path=request.path)
        return _plain(403, "The signature is missing or wrong; is PUBLIC_URL the address that Twilio calls?")
    if not receiver.is_our_account(request.form.get("AccountSid", "")):
        log.warning("refused", reason="account", path=request.path)
        return _plain(403, "This is about another Twilio account.")
    return None


def _plain(status: int, words: str) -> Response:
    return Response(f"{words}\n", status=status, content_type="text/plain; charset=utf-8")


def _try_later() -> Response:
    response = _plain(503, "It cannot be taken right now.")
    response.headers["Retry-After"] = "5"
    return response


app = create_app(load())
