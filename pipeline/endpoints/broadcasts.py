"""Broadcasts over HTTP, for admins."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request

from pipeline import broadcasts
from pipeline.broadcast import Broadcast
from pipeline.broadcasts import Preview
from pipeline.draft import Draft, DraftError, draft
from pipeline.endpoints.access import Access
from pipeline.runtime import Stores
from pipeline.store.broadcasts import Wish

_WISHES: dict[str, Wish] = {"pause": "pause", "resume": "resume", "cancel": "cancel"}
_WHO = "http:admin"


def blueprint(stores: Stores, access: Access) -> Blueprint:
    """POST /send-broadcast, GET /broadcasts, GET /broadcasts/<id> and what can be done with one."""
    routes = Blueprint("broadcasts", __name__)
    routes.before_request(access.demand)

    @routes.post("/send-broadcast")
    def send() -> tuple[Response, int]:
        """Makes a broadcast, once for each Idempotency-Key; 202 with what will happen."""
        wished = _draft()
        preview = broadcasts.preview(stores, wished)
        broadcast, is_new = broadcasts.create(stores, wished, _WHO)
        return jsonify(
            broadcast_id=broadcast.id,
            status=broadcast.state,
            created=is_new,
            **shown_preview(preview) | ({} if is_new else {"recipients": broadcast.total}),
        ), 202

    @routes.get("/broadcasts")
    def all_of_them() -> Response:
        """The newest fifty."""
        return jsonify(broadcasts=[shown(broadcast) for broadcast in stores.broadcasts.newest()])

    @routes.get("/broadcasts/<id_>")
    def one(id_: str) -> Response | tuple[Response, int]:
        """One and how it stands."""
        broadcast = stores.broadcasts.find(id_)
        return jsonify(shown(broadcast)) if broadcast else _unknown()

    @routes.post("/broadcasts/<id_>/<any(pause, resume, cancel):wish>")
    def control(id_: str, wish: str) -> Response | tuple[Response, int]:
        """Pause, resume or cancel; answers the state afterwards. What cannot be changed any more stays as it is."""
        state = broadcasts.control(stores, id_, _WISHES[wish], _WHO)
        return _unknown() if state == "unknown" else jsonify(broadcast_id=id_, status=state)

    @routes.post("/broadcasts/<id_>/retry-failed")
    def retry_failed(id_: str) -> Response | tuple[Response, int]:
        """Once more to whoever it failed for with a passing reason."""
        if stores.broadcasts.find(id_) is None:
            return _unknown()
        return jsonify(broadcast_id=id_, retried=broadcasts.retry_failed(stores, id_, _WHO))

    @routes.errorhandler(DraftError)
    def refuse(error: DraftError) -> tuple[Response, int]:
        return jsonify(error="The broadcast cannot be made.", fields=error.problems), 400

    return routes


def shown_preview(preview: Preview) -> dict[str, Any]:
    """A preview as JSON; `steps` counts the people of each step."""
    row = asdict(preview)
    return row | {"steps": row.pop("reach")}


def shown(broadcast: Broadcast) -> dict[str, Any]:
    """A broadcast as JSON; times are ISO with offset."""

    def iso(moment: datetime | None) -> str | None:
        return moment.isoformat() if moment else None

    return {
        "broadcast_id": broadcast.id,
        "status": broadcast.state,
        "name": broadcast.name,
        "reason": broadcast.reason,
        "target_step": broadcast.step or None,
        "message": broadcast.content.text,
        "content_sid": broadcast.content.content_sid,
        "created_at": iso(broadcast.created_at),
        "send_at": iso(broadcast.send_at),
        "started_at": iso(broadcast.started_at),
        "finished_at": iso(broadcast.finished_at),
        "recipients": broadcast.total,
        "queued": broadcast.open,
        "sent": broadcast.sent,
        "delivered": broadcast.delivered,
        "read": broadcast.read,
        "failed": broadcast.failed,
        "skipped": broadcast.skipped,
    }


def _draft() -> Draft:
    try:
        fields = json.loads(request.get_data())
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise DraftError({"body": 'must be a JSON object such as {"message": "Hello {name}"}'})
    return draft(fields, datetime.now(UTC), request.headers.get("Idempotency-Key", ""))


def _unknown() -> tuple[Response, int]:
    return jsonify(error="There is no such broadcast."), 404
