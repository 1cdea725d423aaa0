"""How gunicorn serves `web:app`. The settings are read here first, so that wrong ones are told once and at once."""

import sys
from typing import Any

from gunicorn.http.wsgi import Response
from redis.exceptions import RedisError

from pipeline import logs
from pipeline.errors import SettingsError, WrongKeysError
from pipeline.receiver import Receiver
from pipeline.runtime import impatient_redis
from pipeline.settings import load
from pipeline.web_worker import OpaqueLogger, WholeRequestWorker

try:
    _settings = load()
except SettingsError as error:
    print(error, file=sys.stderr)
    sys.exit(1)
logs.configure(_settings.log_level, _settings.log_format)

bind = f"0.0.0.0:{_settings.port}"
workers = _settings.web_concurrency
worker_class = WholeRequestWorker
logger_class = OpaqueLogger
threads = 8
# Heroku's router keeps connections for 90 s and answers H13 when we close first.
keepalive = 95
timeout = 30
graceful_timeout = 20
control_socket_disable = True
limit_request_line = 4094
limit_request_fields = 64
accesslog = None
errorlog = "-"
loglevel = "warning"


_default_headers = Response.default_headers


def _headers_without_banner(response: Any) -> list[str]:
    """Which server this is, and which version, is nobody's business."""
    return [line for line in _default_headers(response) if not line.startswith("Server:")]


Response.default_headers = _headers_without_banner


def on_starting(server: Any) -> None:
    """Refuses a start with wrong keys. A Redis that is away does not stop us: webhooks are answered 503 until it is
    back, and the keys are checked then."""
    try:
        with impatient_redis(_settings.redis_url) as redis:
            Receiver(_settings, redis).check_keys()
    except WrongKeysError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except RedisError:
        server.log.warning("Redis cannot be reached yet")


def when_ready(server: Any) -> None:
    """We listen from now on; what came before is caught up. While Redis is away, the clock asks for that instead."""
    try:
        with impatient_redis(_settings.redis_url) as redis:
            Receiver(_settings, redis).ask_for_catch_up()
    except RedisError:
        server.log.warning("catch-up waits for Redis")
