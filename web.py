"""The HTTP surface. It decides nothing: it checks who is asking, makes durable what came, and answers.

gunicorn -c gunicorn.conf.py web:app
"""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from pipeline import logs
from pipeline.auth_api import AuthApi
from pipeline.endpoints import admin, broadcasts, figures, health, plain, twilio
from pipeline.endpoints.access import Access
from pipeline.endpoints.visits import Visits
from pipeline.health import AuthWatch
from pipeline.receiver import Receiver
from pipeline.runtime import Stores, impatient_redis
from pipeline.settings import Settings, load
from pipeline.store.auth_gate import AuthHealth
from pipeline.store.signed_in import SignedIn
from pipeline.store.wrong_tries import WrongTries
from pipeline.webhook_times import WebhookTimes

_MOST_BYTES = 64 * 1024


def create_app(settings: Settings) -> Flask:
    """The application with these settings."""
    logs.configure(settings.log_level, settings.log_format)
    app = Flask(__name__, static_folder=None)
    # A path that is not ours is 404, never a redirect to whatever Host the caller named.
    app.url_map.merge_slashes = False
    app.config.update(MAX_CONTENT_LENGTH=_MOST_BYTES, MAX_FORM_MEMORY_SIZE=_MOST_BYTES)
    if settings.trusted_proxies:
        # The Host header is never taken from a proxy: what Twilio signed is known from PUBLIC_URL.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=settings.trusted_proxies, x_host=0, x_port=0
        )
    redis = impatient_redis(settings.redis_url, settings.redis_connections, decode_responses=True)
    queue_redis = impatient_redis(settings.redis_url, settings.redis_connections)
    receiver = Receiver(settings, queue_redis)
    stores = Stores.behind(settings, redis, queue_redis)
    wrong_tries = WrongTries(redis)
    tokens = [settings.admin_token.get_secret_value(), settings.metrics_token.get_secret_value()]
    access = Access(tokens[:1], wrong_tries)
    scrapers = Access(tokens, wrong_tries, "METRICS_TOKEN")
    auth = AuthWatch(AuthApi(settings.auth_api_url), AuthHealth(redis))
    visits = Visits(SignedIn(redis, tokens[0]), settings.public_url.startswith("https://"))
    plain.install(app)
    app.register_blueprint(twilio.blueprint(receiver, WebhookTimes(stores.tallies)))
    app.register_blueprint(broadcasts.blueprint(stores, access))
    app.register_blueprint(health.blueprint(stores.pulses, auth))
    app.register_blueprint(figures.blueprint(stores, access, scrapers))
    app.register_blueprint(admin.blueprint(stores, access, visits, auth))
    return app


app = create_app(load())
