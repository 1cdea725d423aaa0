"""How it goes, for the marketplace's manager and for Prometheus."""

from datetime import UTC, datetime

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST

from pipeline import stats
from pipeline.endpoints.access import Access
from pipeline.metrics import exposition
from pipeline.runtime import Stores


def blueprint(stores: Stores, admins: Access, scrapers: Access) -> Blueprint:
    """GET /stats for admins, GET /metrics for admins and whoever has METRICS_TOKEN."""
    routes = Blueprint("figures", __name__)

    @routes.get("/stats")
    def all_stats() -> Response:
        """Sessions, rates, funnel, messages, broadcasts."""
        admins.demand()
        return jsonify(stats.read(stores.tallies, stores.broadcasts, datetime.now(UTC)).to_json())

    @routes.get("/metrics")
    def metrics() -> Response:
        """In Prometheus's text format."""
        scrapers.demand()
        return Response(exposition(stores), content_type=CONTENT_TYPE_LATEST)

    return routes
