"""Is it well? Open to everybody, so it tells no secrets."""

import time
from datetime import UTC, datetime

from flask import Blueprint, Response, jsonify

from pipeline.endpoints.plain import plain
from pipeline.health import AuthWatch, judged, read_pulse
from pipeline.store.pulse import Pulses


def blueprint(pulses: Pulses, auth: AuthWatch) -> Blueprint:
    """GET /health and GET /health/live."""
    routes = Blueprint("health", __name__)
    started = time.monotonic()

    @routes.get("/health")
    def health() -> tuple[Response, int]:
        """What is well and what is not, in words; 503 when nothing can be taken in."""
        found = judged(read_pulse(pulses), auth.is_healthy())
        answer = jsonify(
            status=found.status,
            timestamp=datetime.now(UTC).isoformat(),
            services=found.services,
            uptime_seconds=round(time.monotonic() - started),
            queue={"depth": found.queue_depth, "oldest_seconds": round(found.oldest_seconds, 1)},
        )
        return answer, 503 if found.status == "unhealthy" else 200

    @routes.get("/health/live")
    def live() -> Response:
        """That this process answers at all."""
        return plain(200, "alive")

    return routes
