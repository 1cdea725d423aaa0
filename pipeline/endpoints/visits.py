"""Who is looking at the dashboard: the cookie, the sign-in behind it, and the token on every form.

A visit is a random number in a cookie. It is made anew at the sign-in, so that nobody can know it beforehand. What a
form has to carry is derived from it: whoever cannot read the cookie cannot make the form.
"""

import hashlib
import hmac
import secrets

from flask import Response, g, request

from pipeline.store.signed_in import SIGNED_IN_SECONDS, SignedIn

_COOKIE = "msme_admin"
_PATH = "/admin"


class Visits:
    """Of browsers. `is_secure`: the cookie goes over HTTPS only."""

    def __init__(self, signed_in: SignedIn, is_secure: bool) -> None:
        self._signed_in = signed_in
        self._is_secure = is_secure

    def begin(self) -> None:
        """Recognises the visit of this request, or makes one."""
        g.visit = request.cookies.get(_COOKIE, "") or secrets.token_urlsafe(32)

    def is_signed_in(self) -> bool:
        """Whether whoever asks has signed in. Raises RedisError."""
        return self._signed_in.includes(g.visit)

    def sign_in(self) -> None:
        """Under a new number. Raises RedisError."""
        g.visit = secrets.token_urlsafe(32)
        self._signed_in.add(g.visit)

    def sign_out(self) -> None:
        """Ends the visit on the server, and takes another number. Raises RedisError."""
        self._signed_in.remove(g.visit)
        g.visit = secrets.token_urlsafe(32)

    def form_token(self) -> str:
        """What every form carries as `form_token`."""
        return hashlib.sha256(f"form {g.visit}".encode()).hexdigest()

    def form_is_ours(self) -> bool:
        """Whether the form of this request was made for this visit."""
        return hmac.compare_digest(request.form.get("form_token", "").encode(), self.form_token().encode())

    def keep(self, response: Response) -> Response:
        """Gives the browser its cookie, when it has not got it."""
        visit = g.get("visit", "")
        if visit and request.cookies.get(_COOKIE) != visit:
            response.set_cookie(
                _COOKIE,
                visit,
                max_age=SIGNED_IN_SECONDS,
                path=_PATH,
                secure=self._is_secure,
                httponly=True,
                samesite="Strict",
            )
        return response
