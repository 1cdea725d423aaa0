"""Answers of a line of text, and the headers every answer carries."""

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from pipeline import logs

log = logs.get(__name__)

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_RETRY_AFTER_SECONDS = "5"


def plain(status: int, words: str) -> Response:
    """One line of text. Never with a 200 to a webhook: Twilio would send it to the person as a message."""
    return Response(f"{words}\n", status=status, content_type="text/plain; charset=utf-8")


def try_later() -> Response:
    """503: nothing was taken, and the caller does well to come again."""
    response = plain(503, "It cannot be taken right now.")
    response.headers["Retry-After"] = _RETRY_AFTER_SECONDS
    return response


def install(app: Flask) -> None:
    """Plain words for 404 and its like, 503 for whatever we did not think of, and the headers."""

    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> Response:
        response = plain(error.code or 500, error.name)
        for name, value in error.get_headers():
            if name in ("Allow", "Retry-After", "WWW-Authenticate"):
                response.headers[name] = value
        if error.description and error.code in (400, 401, 403, 409, 413, 429):
            response.set_data(f"{error.description}\n")
        return response

    @app.errorhandler(Exception)
    def fail(error: Exception) -> Response:
        log.error("request_failed", error=error, path=request.url_rule.rule if request.url_rule else "")
        return try_later()

    @app.after_request
    def guard(response: Response) -> Response:
        own = {name.casefold() for name, _ in response.headers}
        response.headers.extend((name, value) for name, value in HEADERS.items() if name.casefold() not in own)
        return response
