"""Twilio's REST API, as far as the product uses it.

https://www.twilio.com/docs/messaging/api/message-resource
"""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlencode, urlsplit

from sandbox.faults import FaultPlan, answer_with
from sandbox.http_server import Answer, Request, json_answer
from sandbox.ledger import API, Ledger, Message

MAX_BODY_UNITS = 1600
MAX_VALIDITY_SECONDS = 36000
OPERATIONS = ("send", "list", "fetch", "account", "typing")

REFUSALS = {
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    20503: (503, "Service Unavailable"),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21609: (400, "The 'StatusCallback' URL is not a valid URL."),
    21617: (400, "The concatenated message body exceeds the 1600 character limit."),
    21624: (400, "The ValidityPeriod is not valid."),
    63007: (400, "Twilio could not find a Channel with the specified From address"),
}
CODE_OF_STATUS = {401: 20003, 404: 20404, 429: 20429, 503: 20503}


@dataclass(frozen=True)
class Account:
    """Who may use the API, and the WhatsApp sender that the account owns."""

    sid: str = "AC" + "5" * 32
    auth_token: str = "sandbox0auth0token0sandbox0token"
    api_keys: Mapping[str, str] = field(default_factory=lambda: {"SK" + "6" * 32: "sandbox0key0secret"})
    number: str = "whatsapp:+14155238886"

    def knows(self, authorization: str) -> bool:
        """Whether an Authorization header (Basic) holds the auth token or one of the API keys."""
        try:
            user, _, password = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        except ValueError:
            return False
        return {self.sid: self.auth_token, **self.api_keys}.get(user) == password


class RestApi:
    """Answers the REST requests of one account, with the faults that `faults` has for each operation."""

    def __init__(self, account: Account, ledger: Ledger, accepted: Callable[[Message], None]) -> None:
        """`accepted` is called with each message that was taken for sending."""
        self.faults = {operation: FaultPlan() for operation in OPERATIONS}
        self.typing: list[str] = []
        self._account = account
        self._ledger = ledger
        self._accepted = accepted
        home = f"{API}/{account.sid}"
        self._routes: list[tuple[str, str, str, Callable[[Request], Answer]]] = [
            ("POST", rf"{home}/Messages\.json", "send", self._send),
            ("GET", rf"{home}/Messages\.json", "list", self._list),
            ("GET", rf"{home}/Messages/\w+\.json", "fetch", self._fetch),
            ("GET", rf"{home}\.json", "account", self._show_account),
            ("POST", r"/v2/Indicators/Typing\.json", "typing", self._type),
        ]

    def answer(self, request: Request) -> Answer:
        """Twilio's answer. Raises Dropped where a fault says so."""
        if not self._account.knows(request.headers.get("authorization", "")):
            return _refuse(20003)
        for method, pattern, operation, do in self._routes:
            if method == request.method and re.fullmatch(pattern, request.path):
                # Not the StatusCallback: its reference differs from run to run, and a fault must not.
                form = request.form
                fate = "|".join((operation, form.get("To", request.path), form.get("Body", "")))
                return answer_with(self.faults[operation], fate, partial(do, request), _error)
        return _refuse(20404)

    def _send(self, request: Request) -> Answer:
        form = request.form
        code = self.faults["send"].refusal(form.get("To", "")) or self._problem(form)
        if code:
            return _refuse(code)
        message = Message(
            account_sid=self._account.sid,
            from_=form["From"],
            to=form["To"],
            body=form.get("Body", ""),
            direction="outbound-api",
            status="queued",
            form=form,
        )
        # Rendered first: a status may be on record before this answer is on its way.
        answer = json_answer(201, message.as_json())
        self._ledger.add(message)
        self._accepted(message)
        return answer

    def _problem(self, form: Mapping[str, str]) -> int | None:
        """The code with which Twilio refuses this form."""
        callback = urlsplit(form.get("StatusCallback", "http://none"))
        validity = form.get("ValidityPeriod", "1")
        problems = {
            21604: not form.get("To"),
            21603: not form.get("From") and not form.get("MessagingServiceSid"),
            21602: not form.get("Body") and not form.get("ContentSid"),
            21617: len(form.get("Body", "").encode("utf-16-le")) // 2 > MAX_BODY_UNITS,
            63007: form.get("From", self._account.number) != self._account.number,
            21609: callback.scheme not in ("http", "https") or "_" in (callback.hostname or "_"),
            21624: not validity.isdecimal() or not 1 <= int(validity) <= MAX_VALIDITY_SECONDS,
        }
        return next((code for code, wrong in problems.items() if wrong), None)

    def _list(self, request: Request) -> Answer:
        query = request.query
        size = min(max(int(query.get("PageSize") or 50), 1), 1000)
        number = int(query.get("Page") or 0)
        messages, more = self._ledger.page(query, query.get("PageToken", "").removeprefix("PA"), size)
        filters = {name: value for name, value in query.items() if name not in ("Page", "PageSize", "PageToken")}

        def uri(page: int, **token: str) -> str:
            return f"{request.path}?{urlencode({**filters, 'PageSize': size, 'Page': page, **token})}"

        return json_answer(
            200,
            {
                "first_page_uri": uri(0),
                "previous_page_uri": None,
                "next_page_uri": uri(number + 1, PageToken="PA" + messages[-1].sid) if more else None,
                "uri": uri(number),
                "page": number,
                "page_size": size,
                "start": number * size,
                "end": number * size + max(len(messages) - 1, 0),
                "messages": [message.as_json() for message in messages],
            },
        )

    def _fetch(self, request: Request) -> Answer:
        message = self._ledger.get(request.path.rsplit("/", 1)[1].removesuffix(".json"))
        return json_answer(200, message.as_json()) if message else _refuse(20404)

    def _show_account(self, request: Request) -> Answer:
        shown = {"sid": self._account.sid, "owner_account_sid": self._account.sid, "friendly_name": "Sandbox"}
        return json_answer(200, {**shown, "status": "active", "type": "Full", "uri": request.path})

    def _type(self, request: Request) -> Answer:
        self.typing.append(request.form.get("messageId", ""))
        return json_answer(200, {"success": True})


def _refuse(code: int) -> Answer:
    status, words = REFUSALS.get(code, (400, "The request was refused"))
    return _error_answer(status, code, words)


def _error(status: int, retry_after: int) -> Answer:
    """Twilio's error answer with this HTTP status."""
    code = CODE_OF_STATUS.get(status, 20500 if status >= 500 else 20001)
    answer = _error_answer(status, code, REFUSALS.get(code, (status, "The request was refused"))[1])
    if status not in (429, 503):
        return answer
    return Answer(status, answer.body, {**answer.headers, "Retry-After": str(retry_after)})


def _error_answer(status: int, code: int, words: str) -> Answer:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return json_answer(status, {"code": code, "message": words, "more_info": more, "status": status})
