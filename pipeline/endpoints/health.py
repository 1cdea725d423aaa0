"""Is it well? Open to everybody, so it tells no secrets."""

import time
from datetime import UTC, datetime

from flask import Blueprint, Response, jsonify

from pipeline.auth_api import AuthApi
from pipeline.endpoints.plain import plain
from pipeline.receiver import Receiver


def blueprint(receiver: Receiver, auth: AuthApi) -> Blueprint:
    """GET /health and GET /health/live."""
    routes = Blueprint("health", __name__)
    started = time.monotonic()

    @routes.get("/health")
    def health() -> tuple[Response, int]:
        """Whether Redis and the Auth API can be reached."""
        redis_is_there = receiver.is_reachable()
        services = {
            "redis": "healthy" if redis_is_there else "unhealthy",
            "auth_service": "healthy" if auth.is_healthy() else "unhealthy",
        }
        overall = "unhealthy" if not redis_is_there else "degraded" if "unhealthy" in services.values() else "healthy"
        answer = jsonify(
            status=overall,
            timestamp=datetime.now(UTC).isoformat(),
            services=services,
            uptime_seconds=round(time.monotonic() - started),
        )
        return answer, 200 if redis_is_there else 503

    @routes.get("/health/live")
    def live() -> Response:
        """That this process answers at all."""
        return plain(200, "alive")

    return routes
