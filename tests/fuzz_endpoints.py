"""Any bytes at every endpoint: `python -m tests.fuzz_endpoints 20000` (make fuzz). A short run is in test_fuzz.py.

Requests go into the WSGI application as gunicorn would hand them over, against a Valkey of its own: nothing in between
makes them more reasonable. Some are signed, some carry the admin token, so that they come as far as they can.
"""

import io
import json
import os
import random
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from redis import Redis

from sandbox.environment import Secrets, environment
from sandbox.ledger import new_sid
from sandbox.twilio_rest import Account
from sandbox.valkey import Valkey
from sandbox.webhooks import sign

ALLOWED = {200, 202, 204, 400, 401, 403, 404, 405, 413, 415, 429, 503}

_odd = st.sampled_from(
    [
        "",
        "\x00",
        "%00",
        "\ufeff",
        "\u202e",
        "é",
        "नमस्ते",
        "👩‍👩‍👧",
        "\ud800",
        "'",
        '"',
        "<x>",
        "{name}",
        "-1",
        "9" * 30,
        "a" * 3000,
    ]
)
_text = st.one_of(_odd, st.text(max_size=60))
_paths = st.one_of(
    st.sampled_from(
        [
            *("/webhook", "/webhook/status", "/health", "/health/live", "/send-broadcast", "/broadcasts"),
            *("/broadcasts/b0123456789ab", "/broadcasts/b0123456789ab/pause", "/stats", "/metrics", "/dashboard", "/"),
        ]
    ),
    st.text(max_size=40).map(lambda tail: "/" + tail),
    _text.map(lambda tail: f"/broadcasts/{tail}"),
    _text.map(lambda tail: f"/broadcasts/{tail}/retry-failed"),
)
_methods = st.sampled_from(["GET", "POST", "POST", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "BREW"])
_queries = st.one_of(
    st.just(""), st.binary(max_size=60), st.builds("ref={}".format, _text).map(lambda q: q.encode("utf-8", "replace"))
)
_names = st.sampled_from(
    [
        *("AccountSid", "MessageSid", "From", "Body", "To", "NumMedia", "ExternalUserId", "OptOutType", "Latitude"),
        *("MessageStatus", "ErrorCode", "EventType", "ButtonPayload", "ListId", "ProfileName"),
    ]
)
_values = st.one_of(
    _text, st.sampled_from(["STOP", "Hi", "delivered", "failed", "63014", "whatsapp:+919876543210", Account.sid])
)
_forms = st.lists(st.tuples(st.one_of(_names, _text), _values), max_size=12)
_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _text),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(
                _text,
                st.sampled_from(["message", "target_step", "content_sid", "content_variables", "send_at", "name"]),
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=8,
)
_types = st.sampled_from(
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
        "application/json",
        "text/plain",
        "",
        "\xff;charset=x",
    ]
)
_headers = st.dictionaries(
    st.sampled_from(
        [
            *("HTTP_X_TWILIO_SIGNATURE", "HTTP_X_TWILIO_WEBHOOKS_SIGNATURE_SETTINGS", "HTTP_AUTHORIZATION"),
            *("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_IDEMPOTENCY_KEY", "HTTP_COOKIE", "HTTP_HOST"),
            *("HTTP_RANGE", "HTTP_IF_NONE_MATCH", "HTTP_ACCEPT", "HTTP_CONTENT_ENCODING"),
        ]
    ),
    st.one_of(
        st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")),
        st.sampled_from(["Bearer", "Bearer x", "algorithm=x,key="]),
    ),
    max_size=4,
)


@dataclass
class Target:
    """The application, and what came of the requests to it."""

    app: Flask
    public_url: str
    admin_token: str
    redis: "Redis[bytes]"
    statuses: Counter[int] = field(default_factory=Counter)

    def ask(self, environ: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body that the application answers with."""
        told: list[Any] = []
        chunks = self.app.wsgi_app(environ, lambda status, headers, *_: told.extend((status, headers)))
        body = b"".join(chunks)
        getattr(chunks, "close", lambda: None)()
        return int(told[0].split()[0]), {name.lower(): value for name, value in told[1]}, body

    def check(self, environ: dict[str, Any]) -> None:
        """One request: answered within what is allowed, guarded, and telling nothing of our insides."""
        status, headers, body = self.ask(environ)
        self.statuses[status] += 1
        assert status in ALLOWED, (status, environ)
        assert headers["x-content-type-options"] == "nosniff" and "server" not in headers
        assert b"Traceback" not in body and b'.py"' not in body
        # Redis is there and well, so nothing is a reason to ask for patience.
        assert status != 503 or environ["PATH_INFO"].startswith("/health"), environ
        if self.statuses.total() % 500 == 0:
            self.redis.flushdb()


def environ_of(
    target: Target, method: str, path: str, query: Any, kind: str, body: bytes, headers: dict[str, str], is_known: bool
) -> dict[str, Any]:
    """As gunicorn hands a request over: everything decoded as Latin-1. `is_known`: signed, with the admin token."""
    raw_path = path.encode("utf-8", "surrogatepass").decode("latin-1")
    raw_query = query if isinstance(query, str) else query.decode("latin-1")
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": raw_path,
        "QUERY_STRING": raw_query,
        "RAW_URI": raw_path + ("?" + raw_query if raw_query else ""),
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "x",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": f"10.0.{random.randrange(256)}.{random.randrange(256)}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        **headers,
    }
    if is_known:
        environ["HTTP_AUTHORIZATION"] = f"Bearer {target.admin_token}"
    return environ


def fuzz(target: Target, cases: int, chosen_seed: int) -> None:
    """So many requests of each of three kinds: any bytes; signed forms; JSON of an admin."""
    options = settings(
        max_examples=cases // 3 + 1,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )

    @seed(chosen_seed)
    @options
    @given(_methods, _paths, _queries, _types, st.binary(max_size=400), _headers, st.booleans())
    def anything(
        method: str, path: str, query: Any, kind: str, body: bytes, headers: dict[str, str], is_known: bool
    ) -> None:
        target.check(environ_of(target, method, path, query, kind, body, headers, is_known))

    @seed(chosen_seed)
    @options
    @given(st.sampled_from(["/webhook", "/webhook/status"]), _queries, _forms, st.booleans())
    def signed_form(path: str, query: Any, form: list[tuple[str, str]], is_message: bool) -> None:
        own = [
            ("AccountSid", Account.sid),
            *([("MessageSid", new_sid()), ("From", "whatsapp:x")] if is_message else []),
        ]
        fields = [(_sendable(name), _sendable(value)) for name, value in [*own, *form]]
        kind = "application/x-www-form-urlencoded"
        environ = environ_of(target, "POST", path, query, kind, urlencode(fields).encode(), {}, False)
        environ["HTTP_X_TWILIO_SIGNATURE"] = sign(Account.auth_token, target.public_url + environ["RAW_URI"], fields)
        target.check(environ)

    @seed(chosen_seed)
    @options
    @given(_json, st.sampled_from(["/send-broadcast", "/broadcasts/b0123456789ab/resume"]), _headers)
    def wish(value: Any, path: str, headers: dict[str, str]) -> None:
        body = json.dumps(value).encode()
        target.check(environ_of(target, "POST", path, "", "application/json", body, headers, is_known=True))

    anything()
    signed_form()
    wish()


def _sendable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def target_at(redis_url: str) -> Target:
    """The application in front of this Redis; it reads its settings from the environment as it is imported."""
    nowhere, own = "http://127.0.0.1:9", Secrets.fresh()
    env = environment(port=9, redis_url=redis_url, twilio_url=nowhere, auth_url=nowhere, account=Account(), own=own)
    os.environ.update(env, LOG_LEVEL="ERROR")
    from web import app

    # The application says nothing of an exception but its place; here its words are wanted.
    sys.excepthook = sys.__excepthook__
    return Target(app, env["PUBLIC_URL"], own.ADMIN_TOKEN, Redis.from_url(redis_url))


def main() -> None:
    """So many cases as the first argument says (20,000 by default); a seed may follow."""
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    chosen_seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**6)
    print(f"{cases} cases, seed {chosen_seed}")
    with tempfile.TemporaryDirectory() as folder, Valkey(Path(folder)) as valkey:
        target = target_at(valkey.url)
        fuzz(target, cases, chosen_seed)
    print("answers:", dict(sorted(target.statuses.items())), "total:", target.statuses.total())


if __name__ == "__main__":
    main()
