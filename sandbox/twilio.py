"""A simulated Twilio: its REST API, the webhooks and status callbacks it sends, and what can go wrong with each.

In a test, in the same process:

    with FakeTwilio(webhook_url="http://127.0.0.1:5000/webhook") as twilio:
        twilio.faults["send"] = FaultPlan(seed=7, chances={"429": 0.01, "dropped_after": 0.01})
        twilio.person("whatsapp:+919800000001").say("Hi")

As a process of its own: `python -m sandbox.twilio --port 8010 --webhook-url http://127.0.0.1:5000/webhook`, steered
over HTTP, without a password, in JSON:

    GET  /sandbox/messages            every message, oldest first, with `clock`, `created_at` and `form`
    POST /sandbox/inbound             {"from": "whatsapp:+91…", "body": "Hi", "fields": {more of the form}}, and
                                      "again_after", "delivered" as `Person.say` has them
    POST /sandbox/faults              {"send": {a FaultPlan}, "list": …}
    POST /sandbox/statuses            {a StatusPlan}
    POST /sandbox/outage              {"seconds": 2}: connections are cut and refused meanwhile
"""

import time
from types import TracebackType
from typing import Any, Self

import click

from sandbox.faults import FaultPlan
from sandbox.http_server import Answer, LocalServer, Request, json_answer
from sandbox.later import Later
from sandbox.ledger import Ledger, Message
from sandbox.person import Person
from sandbox.status_callbacks import StatusCallbacks, StatusPlan
from sandbox.twilio_rest import Account, RestApi
from sandbox.webhooks import Delivery, Form, deliver


class FakeTwilio:
    """One account with one WhatsApp sender. `url` is the base of its REST API."""

    def __init__(
        self,
        *,
        webhook_url: str = "",
        port: int = 0,
        account: Account | None = None,
        statuses: StatusPlan | None = None,
    ) -> None:
        """`webhook_url` may be set later, and may carry connection overrides (`#rc=3&rp=5xx,ct,rt`)."""
        self.account = account or Account()
        self.webhook_url = webhook_url
        self.ledger = Ledger()
        self.deliveries: list[Delivery] = []
        self.later = Later(threads=16)
        self.callbacks = StatusCallbacks(self.ledger, self.account.auth_token, self.later, statuses or StatusPlan())
        self._api = RestApi(self.account, self.ledger, self.callbacks.follow)
        self.server = LocalServer(self._answer, port)
        self.url = self.server.url

    @property
    def faults(self) -> dict[str, FaultPlan]:
        """What goes wrong with each operation: send, list, fetch, account, typing."""
        return self._api.faults

    @property
    def typing(self) -> list[str]:
        """The MessageSids for which a typing indicator was asked."""
        return self._api.typing

    def person(self, address: str, **more: str) -> Person:
        """Somebody who writes to us from this address."""
        return Person(self, address, **more)

    def sent_to(self, address: str) -> list[Message]:
        """Every message accepted for this address, oldest first."""
        return self.ledger.sent_to(address)

    def post_webhook(self, form: Form, sid: str) -> Delivery:
        """Post a signed form to the product's webhook, and keep how that ended in `deliveries`."""
        delivery = deliver(self.webhook_url, self.account.auth_token, form, sid)
        self.deliveries.append(delivery)
        return delivery

    def start(self) -> None:
        """Begin to answer. Raises OSError when the port is taken."""
        self.server.start()

    def stop(self) -> None:
        """Stop answering; callbacks that were due later are forgotten."""
        self.later.stop()
        self.server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answer(self, request: Request) -> Answer:
        if not request.path.startswith("/sandbox/"):
            return self._api.answer(request)
        try:
            asked = request.json() if request.method == "POST" else {}
            return json_answer(200, self._control(request.path.removeprefix("/sandbox/"), asked))
        except (KeyError, TypeError, ValueError) as wrong:
            return json_answer(400, {"error": str(wrong)})

    def _control(self, wish: str, asked: dict[str, Any]) -> object:
        """Carry out a request to the simulator itself. Raises KeyError, TypeError, ValueError for a bad one."""
        if wish == "messages":
            return [
                {**message.as_json(), "created_at": message.created_at, "clock": message.clock, "form": message.form}
                for message in self.ledger.all()
            ]
        if wish == "inbound":
            person, text, fields = self.person(asked.pop("from")), asked.pop("body"), asked.pop("fields", {})
            return vars(person.say(text, **asked, **fields))
        if wish == "faults":
            self.faults.update({operation: FaultPlan(**plan) for operation, plan in asked.items()})
        elif wish == "statuses":
            self.callbacks.plan = StatusPlan(**asked)
        elif wish == "outage":
            # A moment later, so that this answer is out before its connection is cut.
            self.later.call(0.05, lambda: self.server.refuse_for(float(asked["seconds"])))
        else:
            raise ValueError(f"there is no /sandbox/{wish}")
        return {"ok": True}


@click.command()
@click.option("--port", type=int, default=0, help="Where to listen; a free port by default.")
@click.option("--webhook-url", default="", help="The product's webhook.")
@click.option("--account-sid", default=Account.sid, show_default=True)
@click.option("--auth-token", default=Account.auth_token, show_default=True)
@click.option("--number", default=Account.number, show_default=True, help="The WhatsApp sender.")
def main(port: int, webhook_url: str, account_sid: str, auth_token: str, number: str) -> None:
    """Run a simulated Twilio until interrupted; prints its base URL."""
    account = Account(sid=account_sid, auth_token=auth_token, number=number)
    with FakeTwilio(port=port, webhook_url=webhook_url, account=account) as twilio:
        click.echo(twilio.url)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
