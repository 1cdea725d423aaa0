"""The dashboard: one page for whoever has the admin token, and the few things that can be done from it."""

from datetime import UTC, datetime

from flask import Blueprint, Response, make_response, redirect, render_template, request
from redis.exceptions import RedisError
from werkzeug.exceptions import HTTPException

from pipeline import broadcasts, care, dashboard
from pipeline.broadcast import MOST_UNITS, units
from pipeline.endpoints.access import Access
from pipeline.endpoints.visits import Visits
from pipeline.health import AuthWatch
from pipeline.runtime import Stores
from pipeline.store.broadcasts import Wish

_WHO = "dashboard:admin"
_WISHES: dict[str, Wish] = {"pause": "pause", "resume": "resume", "cancel": "cancel"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def blueprint(stores: Stores, access: Access, visits: Visits, auth: AuthWatch) -> Blueprint:
    """GET /admin and the forms on it."""
    routes = Blueprint(
        "admin",
        "pipeline",
        template_folder="templates",
        static_folder="static",
        static_url_path="/admin/static",
    )
    _guard(routes, visits)
    _sign_in(routes, stores, access, visits)
    _actions(routes, stores)

    @routes.get("/admin")
    def page() -> Response:
        view = dashboard.read(stores, auth.is_healthy(), datetime.now(UTC))
        said = dashboard.SAYINGS.get(request.args.get("said", ""), "")
        return _shown("dashboard", visits, view=view, said=said)

    @routes.errorhandler(RedisError)
    def redis_is_away(error: RedisError) -> Response:
        return _shown("away", visits, 503)

    @routes.errorhandler(care.BusyError)
    def busy(error: care.BusyError) -> Response:
        return _back("busy")

    @routes.errorhandler(care.StrangerError)
    def stranger(error: care.StrangerError) -> Response:
        return _back("stranger")

    return routes


def _guard(routes: Blueprint, visits: Visits) -> None:
    @routes.before_request
    def admit() -> Response | None:
        """Forms are ours, and all but the sign-in is for whoever has signed in."""
        if request.endpoint == "admin.static":
            return None
        visits.begin()
        if request.method == "POST" and not visits.form_is_ours():
            return _shown("sign_in", visits, 403, problem=dashboard.SAYINGS["old-form"])
        if request.endpoint == "admin.sign_in" or visits.is_signed_in():
            return None
        return _shown("sign_in", visits) if request.method == "GET" else _back("")

    @routes.after_request
    def keep(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _POLICY
        return visits.keep(response)


def _sign_in(routes: Blueprint, stores: Stores, access: Access, visits: Visits) -> None:
    @routes.post("/admin/sign-in")
    def sign_in() -> Response:
        try:
            access.demand_token(request.form.get("token", "").strip())
        except HTTPException as refusal:
            words = dashboard.REFUSALS.get(refusal.code or 0, dashboard.REFUSALS[503])
            return _shown("sign_in", visits, refusal.code or 503, problem=words)
        visits.sign_in()
        stores.audit.note(_WHO, "sign in")
        return _back("")

    @routes.post("/admin/sign-out")
    def sign_out() -> Response:
        visits.sign_out()
        return _back("")


def _actions(routes: Blueprint, stores: Stores) -> None:
    @routes.post("/admin/broadcasts/<id_>/<any(pause, resume, cancel):wish>")
    def control(id_: str, wish: str) -> Response:
        state = broadcasts.control(stores, id_, _WISHES[wish], _WHO)
        return _back(f"broadcast-{state}")

    @routes.post("/admin/failures/<id_>/retry")
    def retry(id_: str) -> Response:
        return _back(f"retry-{care.retry_failure(stores, id_, _WHO)}")

    @routes.post("/admin/failures/<id_>/drop")
    def drop(id_: str) -> Response:
        return _back("dropped" if care.drop_failure(stores, id_, _WHO) else "retry-gone")

    @routes.post("/admin/support/<contact>/reply")
    def reply(contact: str) -> Response:
        text = request.form.get("text", "").replace("\r\n", "\n").strip()
        if not text or units(text) > MOST_UNITS:
            return _back("bad-length")
        # Of two people who answer at the same time, the second is told so.
        if not stores.support.is_waiting(contact):
            return _back("answered")
        care.reply(stores, contact, text, _WHO)
        return _back("replied")


def _shown(page: str, visits: Visits, status: int = 200, **values: object) -> Response:
    html = render_template(f"admin/{page}.html", form_token=visits.form_token(), most=MOST_UNITS, **values)
    return make_response(html, status)


def _back(said: str) -> Response:
    """To the page, by GET, so that a reload repeats nothing."""
    return make_response(redirect(f"/admin?said={said}" if said else "/admin", 303))
