"""How gunicorn serves `web:app`. The settings are read here first, so that wrong ones are told once and at once."""

import sys

from pipeline.errors import SettingsError
from pipeline.settings import load

try:
    _settings = load()
except SettingsError as error:
    print(error, file=sys.stderr)
    sys.exit(1)

bind = f"0.0.0.0:{_settings.port}"
workers = _settings.web_concurrency
worker_class = "gthread"
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
