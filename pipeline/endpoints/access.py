"""Who may ask what admins ask: whoever has the token, and does not guess at it."""

import hmac
from collections.abc import Iterable

from flask import abort, request
from redis.exceptions import RedisError
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, TooManyRequests, Unauthorized

from pipeline.store.wrong_tries import WrongTries


class Access:
    """Checks `Authorization: Bearer …` against the tokens that open one kind of thing (empty ones open nothing)."""

    def __init__(self, tokens: Iterable[str], wrong_tries: WrongTries, setting: str = "ADMIN_TOKEN") -> None:
        self._tokens = [token.encode() for token in tokens if token]
        self._wrong_tries = wrong_tries
        self._setting = setting

    def demand(self) -> None:
        """Returns when the caller may ask; else aborts with 401, 403 or 429 (503 while Redis is away)."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        self.demand_token(token.strip() if scheme.casefold() == "bearer" else "")

    def demand_token(self, token: str) -> None:
        """The same for a token that came another way, such as the sign-in form."""
        if not self._tokens:
            raise Forbidden(f"This is closed: {self._setting} is not set on the server.")
        caller = request.remote_addr or ""
        try:
            if self._wrong_tries.are_too_many(caller):
                raise TooManyRequests("Too many wrong tries; come again in a minute.", retry_after=60)
            if any(hmac.compare_digest(token.encode(), known) for known in self._tokens):
                return
            if token:
                self._wrong_tries.count(caller)
        except RedisError:
            abort(503)
        raise Unauthorized(
            f"Authorization: Bearer <{self._setting}> is expected here.", www_authenticate=WWWAuthenticate("bearer")
        )
