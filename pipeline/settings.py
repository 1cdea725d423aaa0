"""Settings: read once from the environment (and a `.env` file, which the environment overrides), refused whole."""

import base64
import binascii
import re
from datetime import timedelta
from functools import cache
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from pipeline.desk import Desk
from pipeline.errors import SettingsError


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a whole address such as https://bot.example.com")
    return value.rstrip("/")


def _url_or_none(value: str) -> str:
    return _url(value) if value else ""


def _public_url(value: str) -> str:
    url = _url(value)
    parts = urlsplit(url)
    if parts.query or parts.fragment:
        raise ValueError("must have no ? or # part: it is the base that paths are appended to")
    if "_" in (parts.hostname or ""):
        raise ValueError("has an underscore in its host name, which Twilio refuses in a status callback")
    return url


def _redis_url(value: str) -> str:
    if not re.match(r"(rediss?|unix)://.+", value):
        raise ValueError("must begin with redis://, rediss:// or unix://")
    return value


def _shaped(pattern: str, example: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"must look like {example}")
        return value

    return AfterValidator(check)


def _listed(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _some(values: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if not values:
        raise ValueError("must hold at least one value")
    return values


def _fernet_keys(values: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    for number, value in enumerate(_some(values), 1):
        try:
            size = len(base64.urlsafe_b64decode(value.get_secret_value()))
        except (binascii.Error, ValueError):
            size = 0
        if size != 32:
            raise ValueError(f"key {number} is not a Fernet key; make one with: python -m pipeline keys new")
    return values


def _long(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < 32:
        raise ValueError("must have at least 32 characters; make one with: python -m pipeline keys new")
    return value


# Of Redis: what a clock holds at most, and what is left for commands by hand (each has two clients with two each).
_CLOCK_CONNECTIONS = 4
_SPARE_CONNECTIONS = 4

Url = Annotated[str, AfterValidator(_url)]
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_listed)]
Seconds = Annotated[tuple[Annotated[float, Field(gt=0)], ...], NoDecode, BeforeValidator(_listed)]


class Settings(BaseSettings):
    """Every setting of web, worker and clock. Names in the environment are the same in capitals."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True)

    twilio_account_sid: Annotated[str, _shaped(r"AC[0-9a-zA-Z]{32}", "AC and 32 letters or digits")]
    twilio_auth_token: Annotated[Secrets, AfterValidator(_some)]
    twilio_api_key_sid: str = ""
    twilio_api_key_secret: Annotated[SecretStr, Field(validate_default=True)] = SecretStr("")
    twilio_whatsapp_number: Annotated[str, _shaped(r"whatsapp:\+\d{8,15}", "whatsapp:+14155238886")]
    twilio_api_base_url: Url = "https://api.twilio.com"
    twilio_messages_per_second: Annotated[int, Field(ge=1, le=1000)] = 80

    broadcast_share: Annotated[float, Field(gt=0, le=1)] = 0.8
    meta_daily_limit: Literal["250", "2000", "10000", "100000", "none"] = "250"

    auth_api_url: Url
    auth_retry_seconds: Seconds = (60, 120, 240, 480, 900, 1800)
    web_app_url: Url
    public_url: Annotated[str, AfterValidator(_public_url)]
    # It may hold a password.
    redis_url: Annotated[str, AfterValidator(_redis_url), Field(repr=False)]

    admin_token: SecretStr = SecretStr("")
    metrics_token: SecretStr = SecretStr("")
    # Such addresses often hold a secret.
    alert_webhook_url: Annotated[str, AfterValidator(_url_or_none), Field(repr=False)] = ""
    seal_keys: Annotated[Secrets, AfterValidator(_fernet_keys)]
    contact_secret: Annotated[SecretStr, AfterValidator(_long)]
    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = 0

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"
    flask_env: Literal["production", "development"] = "production"
    flask_debug: bool = False
    port: Annotated[int, Field(ge=1, le=65535)] = 5000
    web_concurrency: Annotated[int, Field(ge=1, le=64)] = 2

    session_hours: Annotated[int, Field(ge=1, le=24 * 30)] = 24
    contact_days: Annotated[int, Field(ge=1, le=3650)] = 180
    failed_days: Annotated[int, Field(ge=1, le=365)] = 14
    worker_processes: Annotated[int, Field(ge=1, le=64)] = 2
    worker_threads: Annotated[int, Field(ge=1, le=64)] = 16

    redis_max_connections: Annotated[int, Field(ge=0)] = 0

    support_email: str = "support@msmebazaar.com"
    support_phone: str = ""
    support_hours: str = "Mon-Fri 9AM-6PM IST"

    @model_validator(mode="before")
    @classmethod
    def _blank_is_unset(cls, given: dict[str, Any]) -> dict[str, Any]:
        """A line such as `TWILIO_API_KEY_SID=` means the default, as people expect of a copied .env.example."""
        return {name: value for name, value in given.items() if value != ""}

    @field_validator("twilio_api_key_secret")
    @classmethod
    def _api_key_is_whole(cls, secret: SecretStr, info: ValidationInfo) -> SecretStr:
        if bool(info.data.get("twilio_api_key_sid")) != bool(secret.get_secret_value()):
            raise ValueError("goes with TWILIO_API_KEY_SID: set both or neither")
        return secret

    @model_validator(mode="after")
    def _redis_has_connections_enough(self) -> Self:
        if self.redis_connections < 1:
            least = self._redis_fixed + self._redis_pools
            raise ValueError(
                f"REDIS_MAX_CONNECTIONS: with these WEB_CONCURRENCY, WORKER_PROCESSES and WORKER_THREADS it takes "
                f"{least} at least; give fewer of them"
            )
        return self

    @property
    def redis_connections(self) -> int:
        """How many connections to Redis each of the two clients of a web or worker process may have, apart from the
        one on which each worker thread waits for a job. With REDIS_MAX_CONNECTIONS: such that one web, one worker,
        one clock and commands by hand stay below it; else as many as there are threads to use them."""
        if not self.redis_max_connections:
            return max(10, self.worker_threads + 2)
        return (self.redis_max_connections - self._redis_fixed) // self._redis_pools

    @property
    def _redis_fixed(self) -> int:
        return _CLOCK_CONNECTIONS + _SPARE_CONNECTIONS + self.worker_processes * self.worker_threads

    @property
    def _redis_pools(self) -> int:
        return 2 * (self.web_concurrency + self.worker_processes)

    @property
    def auth_tokens(self) -> tuple[str, ...]:
        """The tokens a webhook may be signed with: the current one and, during a rotation, the next."""
        return tuple(token.get_secret_value() for token in self.twilio_auth_token)

    @property
    def rest_credentials(self) -> tuple[str, str]:
        """User and password for Twilio's REST API: the API key where there is one, so that rotating the auth token
        does not stop sending."""
        if self.twilio_api_key_sid:
            return self.twilio_api_key_sid, self.twilio_api_key_secret.get_secret_value()
        return self.twilio_account_sid, self.auth_tokens[0]

    @property
    def broadcasts_per_second(self) -> int:
        """The most messages a second while one of a broadcast may go: replies have the rest to themselves."""
        return max(1, int(self.twilio_messages_per_second * self.broadcast_share))

    @property
    def desk(self) -> Desk:
        """What the conversation needs to know of the house."""
        return Desk(
            web_app_url=self.web_app_url,
            support_email=self.support_email,
            support_phone=self.support_phone,
            support_hours=self.support_hours,
            session_hours=self.session_hours,
            contact_days=self.contact_days,
            otp_waits=tuple(timedelta(seconds=seconds) for seconds in self.auth_retry_seconds),
        )


@cache
def load() -> Settings:
    """The settings of this process, read at the first call. Raises SettingsError naming every problem."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError([_problem(dict(found)) for found in error.errors(include_input=False)]) from None


def _problem(found: dict[str, Any]) -> str:
    name = str(found["loc"][0]).upper() if found["loc"] else ""
    if found["type"] == "missing":
        return f"{name} is missing"
    words = str(found["msg"]).removeprefix("Value error, ")
    return f"{name}: {words}" if name else words
