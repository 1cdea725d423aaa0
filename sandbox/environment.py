"""The environment in which the product runs here: every setting, so that no shell and no `.env` file can leak into it.

The only module of `sandbox/` that reads our own environment.
"""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from sandbox.children import port_for
from sandbox.twilio_rest import Account

# What a program needs to run at all. No proxy settings: everything here is on this machine.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ", "PYTHONPATH", "VIRTUAL_ENV")

# Settings with a default of their own. An empty value means that default, and hides what `.env` says.
OPTIONAL = (
    "ADMIN_TOKEN",
    "ALERT_WEBHOOK_URL",
    "AUTH_RETRY_SECONDS",
    "BROADCAST_SHARE",
    "CONTACT_DAYS",
    "FAILED_DAYS",
    "FLASK_DEBUG",
    "FLASK_ENV",
    "LOG_FORMAT",
    "LOG_LEVEL",
    "META_DAILY_LIMIT",
    "METRICS_TOKEN",
    "REDIS_MAX_CONNECTIONS",
    "SESSION_HOURS",
    "SUPPORT_EMAIL",
    "SUPPORT_HOURS",
    "SUPPORT_PHONE",
    "TRUSTED_PROXIES",
    "TWILIO_API_KEY_SECRET",
    "TWILIO_API_KEY_SID",
    "TWILIO_MESSAGES_PER_SECOND",
    "WORKER_PROCESSES",
    "WORKER_THREADS",
)


@dataclass(frozen=True)
class Ports:
    """Where each part listens, on 127.0.0.1."""

    web: int
    twilio: int
    auth: int
    redis: int

    @classmethod
    def chosen(cls) -> Self:
        """Those of PORT and SANDBOX_…_PORT, and free ones for what is not set. Raises PortTaken, naming the setting."""
        names = ("PORT", "SANDBOX_TWILIO_PORT", "SANDBOX_AUTH_PORT", "SANDBOX_REDIS_PORT")
        return cls(*(port_for(name, os.environ.get(name, "")) for name in names))


@dataclass(frozen=True)
class Secrets:
    """The product's own secrets, by the names of their settings."""

    SEAL_KEYS: str
    CONTACT_SECRET: str
    ADMIN_TOKEN: str

    @classmethod
    def fresh(cls) -> Self:
        """New ones. A Fernet key is 32 random bytes in URL-safe base64."""
        key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        return cls(key, secrets.token_urlsafe(32), secrets.token_urlsafe(32))

    @classmethod
    def kept_in(cls, file: Path) -> Self:
        """Those of last time, for they open what the kept Valkey holds; made and kept when there are none."""
        if file.exists():
            return cls(**json.loads(file.read_text()))
        new = cls.fresh()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(json.dumps(asdict(new), indent=1))
        return new


def environment(
    *, port: int, redis_url: str, twilio_url: str, auth_url: str, account: Account, own: Secrets
) -> dict[str, str]:
    """All that `web`, `worker` and `clock` read."""
    api_key, api_secret = next(iter(account.api_keys.items()), ("", ""))
    return {
        **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
        **dict.fromkeys(OPTIONAL, ""),
        **asdict(own),
        "PYTHONUNBUFFERED": "1",
        # Gunicorn reads this one as well, and an empty value ends it.
        "WEB_CONCURRENCY": "2",
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "REDIS_URL": redis_url,
        "AUTH_API_URL": auth_url,
        "WEB_APP_URL": "http://localhost:3000",
        "TWILIO_ACCOUNT_SID": account.sid,
        "TWILIO_AUTH_TOKEN": account.auth_token,
        "TWILIO_API_KEY_SID": api_key,
        "TWILIO_API_KEY_SECRET": api_secret,
        "TWILIO_WHATSAPP_NUMBER": account.number,
        "TWILIO_API_BASE_URL": twilio_url,
    }


def run_by_make(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether `make` started us."""
    return "MAKELEVEL" in environ
