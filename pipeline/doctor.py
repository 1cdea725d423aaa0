"""Is everything set up rightly, and if not, what is to be done: one check after another.

Nothing is changed, but that an empty Redis gets its canary, as at any start.
"""

import ipaddress
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from redis import Redis
from redis.exceptions import RedisError
from twilio.request_validator import RequestValidator

from pipeline.auth_api import AuthApi
from pipeline.errors import SendError, WrongKeysError
from pipeline.health import LATE_SECONDS
from pipeline.runtime import hasher_of, impatient_redis, seal_of
from pipeline.settings import Settings
from pipeline.store import canary
from pipeline.store.pulse import Pulses
from pipeline.twilio_api.webhooks import PROBE_HEADER, probe

_TIMEOUT = (3, 8)
_OLDEST_REDIS = (6, 2)
_MOST_MEMORY = 0.8
# Twilio's signatures do not expire, but windows, schedules and reports go by the clock.
_MOST_SKEW_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at; `words` say how it is and, when it is not well, what to do."""

    name: str
    is_well: bool
    words: str


def examine(settings: Settings) -> Iterator[Check]:
    """All checks, in the order in which what is wrong would best be mended."""
    yield Check("settings", True, "complete")
    redis = impatient_redis(settings.redis_url, decode_responses=True)
    try:
        yield from _redis(settings, redis)
    except RedisError as error:
        yield Check("redis", False, f"cannot be reached ({type(error).__name__}): check REDIS_URL, start Redis")
    yield from _twilio(settings)
    yield _webhook(settings)
    auth_is_there = AuthApi(settings.auth_api_url).is_healthy()
    yield Check("auth api", auth_is_there, "answers" if auth_is_there else "does not answer: check AUTH_API_URL")
    try:
        yield from _processes(redis)
    except RedisError:
        yield Check("processes", False, "unknown while Redis is away")


def _redis(settings: Settings, redis: Redis) -> Iterator[Check]:
    told: dict[str, Any] = redis.info()
    version = str(told.get("valkey_version") or told["redis_version"])
    is_new = tuple(int(part) for part in version.split(".")[:2]) >= _OLDEST_REDIS
    yield Check("redis", is_new, f"version {version}" + ("" if is_new else ": 6.2 or later is needed"))
    policy = str(told.get("maxmemory_policy", "unknown"))
    keeps = policy == "noeviction"
    yield Check("redis eviction", keeps, policy if keeps else f"{policy}: set maxmemory-policy noeviction")
    lasts = bool(told.get("aof_enabled"))
    yield Check("redis persistence", lasts, "append-only file" if lasts else "none: set appendonly yes")
    yield _memory(told)
    yield tls(settings.redis_url)
    try:
        canary.check(redis, seal_of(settings), hasher_of(settings))
        yield Check("keys", True, "open what is stored")
    except WrongKeysError as error:
        yield Check("keys", False, str(error))
    seconds, micros = redis.time()
    yield skew("redis clock", seconds + micros / 1e6)


def _memory(told: dict[str, Any]) -> Check:
    most, used = int(told.get("maxmemory", 0)), int(told["used_memory"])
    share = used / most if most else 0.0
    words = f"{used / 1e6:.0f} MB" + (f", {share:.0%} of maxmemory" if most else ", without a limit")
    return Check("redis memory", share < _MOST_MEMORY, words + ("" if share < _MOST_MEMORY else ": give it more"))


def tls(url: str) -> Check:
    """Whether the way to Redis is encrypted where it has to be."""
    parts = urlsplit(url)
    is_safe = parts.scheme in ("rediss", "unix") or _is_near(parts.hostname or "")
    words = "encrypted" if parts.scheme == "rediss" else "not needed here"
    return Check("redis tls", is_safe, words if is_safe else "in the open: use rediss:// across a network")


def _is_near(host: str) -> bool:
    """This machine, a container's network, or a private one."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal"))


def _twilio(settings: Settings) -> Iterator[Check]:
    url = f"{settings.twilio_api_base_url}/2010-04-01/Accounts/{settings.twilio_account_sid}.json"
    try:
        answer = requests.get(url, auth=settings.rest_credentials, timeout=_TIMEOUT)
    except requests.RequestException as error:
        yield Check("twilio", False, f"cannot be reached ({type(error).__name__})")
        return
    if answer.status_code != 200:
        fix = "check TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN or the API key"
        yield Check("twilio", False, f"refuses our credentials (HTTP {answer.status_code}): {fix}")
        return
    status = _field(answer, "status")
    is_active = status == "active"
    yield Check("twilio", is_active, f"account {status}" + ("" if is_active else ": see the Twilio Console"))
    if "Date" in answer.headers:
        yield skew("our clock", parsedate_to_datetime(answer.headers["Date"]).timestamp())
    yield _sender(settings)


def _field(answer: requests.Response, name: str) -> str:
    try:
        return str(answer.json()[name])
    except (ValueError, KeyError, TypeError):
        return "unknown"


def _sender(settings: Settings) -> Check:
    """Whether Twilio lets these credentials read the sender's messages; it has no cheaper word on a sender."""
    from pipeline.twilio_api.rest import TwilioRest

    sender = settings.twilio_whatsapp_number
    rest = TwilioRest(
        settings.twilio_account_sid,
        settings.rest_credentials,
        settings.twilio_api_base_url,
        sender,
        settings.public_url,
    )
    try:
        rest.received(datetime.now(UTC))
    except SendError as error:
        return Check("sender", False, f"its messages cannot be read (code {error.code}): check the account's rights")
    return Check("sender", True, "its messages can be read")


def _webhook(settings: Settings) -> Check:
    """A signed message of nobody, posted where Twilio would post it; the receiver knows it and takes nothing in."""
    url = f"{settings.public_url}/webhook"
    form = probe(settings.twilio_account_sid)
    signature = RequestValidator(settings.auth_tokens[0]).compute_signature(url, form)
    try:
        answer = requests.post(
            url, data=form, headers={"X-Twilio-Signature": signature}, timeout=_TIMEOUT, allow_redirects=False
        )
    except requests.RequestException as error:
        return Check("webhook", False, f"PUBLIC_URL does not lead to us ({type(error).__name__})")
    if answer.status_code == 200 and PROBE_HEADER in answer.headers:
        return Check("webhook", True, "reached through PUBLIC_URL, signature accepted")
    if answer.status_code == 403:
        fix = "PUBLIC_URL and TWILIO_AUTH_TOKEN must be the same for web"
        return Check("webhook", False, f"the signature was refused: {fix}")
    return Check("webhook", False, f"PUBLIC_URL answers {answer.status_code}, and not as our receiver would")


def _processes(redis: Redis) -> Iterator[Check]:
    pulse = Pulses(redis).now()
    yield Check("workers", pulse.workers > 0, f"{pulse.workers} alive" if pulse.workers else "none: start worker.py")
    clock = "alive" if pulse.clock_is_alive else "none: start python -m pipeline clock"
    yield Check("clock", pulse.clock_is_alive, clock)
    is_quick = pulse.oldest_seconds <= LATE_SECONDS
    words = f"{pulse.queue_depth} jobs, the oldest message waits {pulse.oldest_seconds:.0f} s"
    yield Check("queue", is_quick, words + ("" if is_quick else ": see the workers' logs"))
    stopped = pulse.stopped_code
    fix = f"Twilio refuses everything (code {stopped}): see the Twilio Console; it resumes by itself"
    yield Check("sending", not stopped, fix if stopped else "goes on")


def skew(name: str, theirs: float, now: Callable[[], float] = time.time) -> Check:
    """How far another's clock (seconds since 1970) is from ours."""
    seconds = abs(now() - theirs)
    words = f"{seconds:.0f} s apart"
    is_well = seconds <= _MOST_SKEW_SECONDS
    return Check(name, is_well, words + ("" if is_well else ": set this machine's clock (NTP)"))
