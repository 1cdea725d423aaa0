"""The simulated Twilio, asked by Twilio's own client, its webhooks checked by Twilio's own validator."""

import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance
from werkzeug.datastructures import MultiDict

from sandbox.faults import FaultPlan
from sandbox.http_server import Answer, LocalServer, Request
from sandbox.status_callbacks import StatusPlan
from sandbox.twilio import FakeTwilio
from sandbox.webhooks import sign

ASHA = "whatsapp:+919800000001"
RAVI = "whatsapp:+919800000002"


class Product:
    """Stands where the product would: checks signatures, keeps what came, answers as it is told."""

    def __init__(self) -> None:
        self.server = LocalServer(self._answer)
        self.url = self.server.url
        self.webhook = self.url + "/webhook"
        self.forms: list[dict[str, list[str]]] = []
        self.targets: list[str] = []
        self.statuses: list[int] = []
        self.token = FakeTwilio().account.auth_token
        self._changed = threading.Condition()

    def wait_for(self, count: int) -> list[dict[str, list[str]]]:
        """The forms received, as soon as there are that many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.forms) >= count, 5)
            return list(self.forms)

    def _answer(self, request: Request) -> Answer:
        form = parse_qs(request.body.decode(), keep_blank_values=True)
        target = request.path + ("?" + "&".join(f"{n}={v}" for n, v in request.query.items()) if request.query else "")
        first_values = {name: values[0] for name, values in form.items()}
        signature = request.headers.get("x-twilio-signature", "")
        if not RequestValidator(self.token).validate(self.url + target, first_values, signature):
            return Answer(403)
        with self._changed:
            self.forms.append(form)
            self.targets.append(target)
            self._changed.notify_all()
        return Answer(self.statuses.pop(0) if self.statuses else 200)


@pytest.fixture
def product() -> Iterator[Product]:
    stand_in = Product()
    with stand_in.server:
        yield stand_in


@pytest.fixture
def client(fake_twilio: FakeTwilio) -> Client:
    account = fake_twilio.account
    return _client(fake_twilio, account.sid, account.auth_token)


def _client(twilio: FakeTwilio, user: str, password: str) -> Client:
    client = Client(user, password, twilio.account.sid, http_client=TwilioHttpClient(timeout=2))
    client.api.base_url = twilio.url
    client.messaging.base_url = twilio.url
    return client


def send(client: Client, text: str = "Hello", to: str = ASHA, **more: object) -> MessageInstance:
    return client.messages.create(from_="whatsapp:+14155238886", to=to, body=text, **more)


def test_a_message_is_accepted_and_can_be_fetched(fake_twilio: FakeTwilio, client: Client) -> None:
    sent = send(client, "नमस्ते 👋 *Asha*")
    assert (sent.status, sent.direction, sent.error_code, sent.date_sent) == ("queued", "outbound-api", None, None)
    fetched = client.messages(str(sent.sid)).fetch()
    assert (fetched.body, fetched.to, fetched.sid) == ("नमस्ते 👋 *Asha*", ASHA, sent.sid)
    assert abs(datetime.now(UTC) - fetched.date_created) < timedelta(seconds=5)
    assert [message.body for message in fake_twilio.sent_to(ASHA)] == ["नमस्ते 👋 *Asha*"]


def test_an_api_key_serves_as_well_as_the_token(fake_twilio: FakeTwilio) -> None:
    [(key, secret)] = fake_twilio.account.api_keys.items()
    assert send(_client(fake_twilio, key, secret)).sid


def test_wrong_credentials_are_refused_with_20003(fake_twilio: FakeTwilio) -> None:
    with pytest.raises(TwilioRestException) as refused:
        send(_client(fake_twilio, fake_twilio.account.sid, "wrong"))
    assert (refused.value.status, refused.value.code) == (401, 20003)
    assert not fake_twilio.ledger.all()


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"to": ""}, 21604),
        ({"text": ""}, 21602),
        ({"text": "👍" * 801}, 21617),
        ({"status_callback": "http://under_score.example/status"}, 21609),
        ({"validity_period": 0}, 21624),
    ],
)
def test_a_bad_form_is_refused_with_twilios_code(client: Client, form: dict[str, str], code: int) -> None:
    with pytest.raises(TwilioRestException) as refused:
        send(client, **form)
    assert (refused.value.status, refused.value.code) == (400, code)


def test_1600_utf_16_units_are_accepted(client: Client) -> None:
    assert send(client, "👍" * 800).sid


def test_a_sender_that_is_not_the_accounts_is_refused(client: Client) -> None:
    with pytest.raises(TwilioRestException) as refused:
        client.messages.create(from_="whatsapp:+15550000000", to=ASHA, body="Hello")
    assert refused.value.code == 63007


def test_the_list_comes_newest_first_over_all_pages(fake_twilio: FakeTwilio, client: Client) -> None:
    for number in range(7):
        send(client, f"reply {number}")
        send(client, "to another person", to=RAVI)
    listed = client.messages.list(to=ASHA, page_size=3)
    assert [message.body for message in listed] == [f"reply {number}" for number in range(6, -1, -1)]


def test_a_message_that_arrives_while_the_list_is_read_shifts_nothing(client: Client) -> None:
    for number in range(4):
        send(client, f"reply {number}")
    first = client.messages.page(to=ASHA, page_size=2)
    send(client, "later")
    second = first.next_page()
    assert [message.body for message in first] == ["reply 3", "reply 2"]
    assert second is not None and [message.body for message in second] == ["reply 1", "reply 0"]
    assert second.next_page() is None


def test_the_list_shows_what_people_wrote(fake_twilio: FakeTwilio, client: Client) -> None:
    fake_twilio.person(ASHA).say("Hi", delivered=False)
    send(client)
    [listed] = client.messages.list(to=fake_twilio.account.number)
    assert (listed.body, listed.direction, listed.from_, listed.status) == ("Hi", "inbound", ASHA, "received")


def test_a_filter_on_the_sent_date_finds_only_what_was_sent() -> None:
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    with FakeTwilio(statuses=StatusPlan(statuses=())) as twilio:
        client = _client(twilio, twilio.account.sid, twilio.account.auth_token)
        queued, sent = send(client, "queued"), send(client, "sent")
        twilio.ledger.set_status(str(sent.sid), "sent")
        assert [message.sid for message in client.messages.list(date_sent_after=an_hour_ago)] == [sent.sid]
        assert client.messages.list(date_sent_before=an_hour_ago) == []
        assert queued.sid in [message.sid for message in client.messages.list()]


def test_account_and_typing_indicator_answer(fake_twilio: FakeTwilio, client: Client) -> None:
    assert client.api.v2010.accounts(fake_twilio.account.sid).fetch().status == "active"
    client.messaging.v2.typing_indicator.create(channel="whatsapp", message_id="SM1")
    assert fake_twilio.typing == ["SM1"]


@pytest.mark.parametrize(("fault", "status"), [("429", 429), ("500", 500), ("503", 503), ("500_after", 500)])
def test_a_scripted_status_comes_once(fake_twilio: FakeTwilio, client: Client, fault: str, status: int) -> None:
    fake_twilio.faults["send"] = FaultPlan(script=[fault])
    with pytest.raises(TwilioRestException) as failed:
        send(client)
    assert failed.value.status == status
    assert len(fake_twilio.sent_to(ASHA)) == (1 if fault.endswith("_after") else 0)
    send(client, "again")


def test_429_says_when_to_come_back(fake_twilio: FakeTwilio) -> None:
    fake_twilio.faults["send"] = FaultPlan(script=["429"], retry_after=7)
    account = fake_twilio.account
    url = f"{fake_twilio.url}/2010-04-01/Accounts/{account.sid}/Messages.json"
    answer = requests.post(url, {"To": ASHA}, auth=(account.sid, account.auth_token), timeout=2)
    assert answer.headers["Retry-After"] == "7" and answer.json()["code"] == 20429


@pytest.mark.parametrize(
    ("fault", "accepted"),
    [
        ("dropped_before", 0),
        ("dropped_after", 1),
        ("hang_before", 0),
        ("hang_after", 1),
        ("unreadable", 1),
    ],
)
def test_an_answer_that_tells_nothing(fake_twilio: FakeTwilio, fault: str, accepted: int) -> None:
    fake_twilio.faults["send"] = FaultPlan(script=[fault], hang_seconds=0.5)
    account = fake_twilio.account
    client = Client(account.sid, account.auth_token, http_client=TwilioHttpClient(timeout=0.2))
    client.api.base_url = fake_twilio.url
    with pytest.raises((requests.ConnectionError, requests.Timeout, ValueError)):
        send(client)
    assert len(fake_twilio.sent_to(ASHA)) == accepted


def test_an_empty_201_leaves_the_client_without_a_sid(fake_twilio: FakeTwilio, client: Client) -> None:
    fake_twilio.faults["send"] = FaultPlan(script=["empty"])
    assert send(client).sid is None
    assert len(fake_twilio.sent_to(ASHA)) == 1


def test_an_outage_refuses_connections_and_ends(fake_twilio: FakeTwilio, client: Client) -> None:
    send(client)
    fake_twilio.server.refuse_for(0.2)
    with pytest.raises(requests.ConnectionError, match="refused"):
        send(client)
    while len(fake_twilio.sent_to(ASHA)) < 2:
        with contextlib.suppress(requests.ConnectionError):
            send(client)


def test_a_recipient_who_opted_out_is_refused(fake_twilio: FakeTwilio, client: Client) -> None:
    fake_twilio.faults["send"] = FaultPlan(refusals={ASHA: 21610})
    with pytest.raises(TwilioRestException) as refused:
        send(client)
    assert (refused.value.status, refused.value.code) == (400, 21610)
    assert send(client, to=RAVI).sid


def test_the_same_seed_gives_the_same_faults_in_any_order() -> None:
    chances = {"429": 0.2, "dropped_after": 0.2}
    forwards, backwards = FaultPlan(seed=7, chances=chances), FaultPlan(seed=7, chances=chances)
    requests_made = [str(number) for number in range(200)]
    there = {request: forwards.next(request)[0] for request in requests_made}
    back = {request: backwards.next(request)[0] for request in reversed(requests_made)}
    other = FaultPlan(seed=8, chances=chances)
    assert there == back and set(there.values()) == {"429", "dropped_after", "ok"}
    assert there != {request: other.next(request)[0] for request in requests_made}


def test_a_repeat_has_a_fate_of_its_own() -> None:
    plan = FaultPlan(seed=7, chances={"429": 0.5})
    assert {plan.next("the same")[0] for _ in range(50)} == {"429", "ok"}


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown fault 'flood'"):
        FaultPlan(script=["flood"])


def test_a_webhook_is_signed_and_complete(fake_twilio: FakeTwilio, product: Product) -> None:
    fake_twilio.webhook_url = product.url + "/webhook?a=1#rc=3"
    delivery = fake_twilio.person(ASHA, name="Asha").say("Hi & नमस्ते", OriginalRepliedMessageSid="SM2")
    assert delivery.acknowledged and product.targets == ["/webhook?a=1"]
    [form] = product.forms
    assert form["MessageSid"] == form["SmsSid"] == [delivery.sid]
    assert (form["Body"], form["From"], form["WaId"]) == (["Hi & नमस्ते"], [ASHA], ["919800000001"])
    assert form["OriginalRepliedMessageSid"] == ["SM2"]


def test_repeated_names_are_signed_as_twilio_does(fake_twilio: FakeTwilio) -> None:
    pairs = [("b", "2"), ("a", "1"), ("b", "10"), ("b", "2"), ("", "")]
    signature = sign("token", "https://bot.example/webhook?x=%27", pairs)
    assert RequestValidator("token").validate("https://bot.example/webhook?x=%27", MultiDict(pairs), signature)


def test_a_webhook_delivered_twice_comes_with_the_same_sid(fake_twilio: FakeTwilio, product: Product) -> None:
    fake_twilio.webhook_url = product.webhook
    fake_twilio.person(ASHA).say("Hi", again_after=0)
    first, second = product.wait_for(2)
    assert first == second


def test_a_picture_a_place_and_a_tap(fake_twilio: FakeTwilio, product: Product) -> None:
    fake_twilio.webhook_url = product.webhook
    asha = fake_twilio.person(ASHA, external_user_id="IN.1")
    asha.send_picture("my shop"), asha.send_location(), asha.tap("Yes", "confirm")
    picture, place, tap = product.forms
    assert (picture["NumMedia"], picture["MediaContentType0"]) == (["1"], ["image/jpeg"])
    assert (place["Latitude"], place["Body"]) == (["18.93"], [""])
    assert (tap["ButtonPayload"], tap["ExternalUserId"]) == (["confirm"], ["IN.1"])


def test_by_default_an_error_is_not_repeated(fake_twilio: FakeTwilio, product: Product) -> None:
    fake_twilio.webhook_url, product.statuses = product.webhook, [503]
    delivery = fake_twilio.person(ASHA).say("Hi")
    assert (delivery.status, delivery.tries, delivery.failure) == (503, 1, "5xx")


def test_with_retry_overrides_an_error_is_repeated(fake_twilio: FakeTwilio, product: Product) -> None:
    fake_twilio.webhook_url, product.statuses = product.webhook + "#rc=3&rp=5xx,ct,rt", [503, 503]
    delivery = fake_twilio.person(ASHA).say("Hi")
    assert delivery.acknowledged and delivery.tries == 3


def test_a_refused_connection_is_tried_once_more(fake_twilio: FakeTwilio) -> None:
    fake_twilio.webhook_url = LocalServer(lambda request: Answer(200)).url
    delivery = fake_twilio.person(ASHA).say("Hi")
    assert (delivery.status, delivery.tries, delivery.failure) == (None, 2, "ct")


def test_statuses_are_told_to_the_callback_with_its_reference(
    fake_twilio: FakeTwilio, client: Client, product: Product
) -> None:
    fake_twilio.callbacks.plan = StatusPlan(statuses=("sent", "delivered", "read"))
    sent = send(client, status_callback=product.url + "/webhook/status?ref=r1")
    forms = product.wait_for(3)
    assert {form["MessageSid"][0] for form in forms} == {sent.sid}
    assert sorted(form["MessageStatus"][0] for form in forms) == ["delivered", "read", "sent"]
    assert set(product.targets) == {"/webhook/status?ref=r1"}
    assert client.messages(str(sent.sid)).fetch().status == "read"


def test_a_message_that_fails_later_is_told_with_its_code(
    fake_twilio: FakeTwilio, client: Client, product: Product
) -> None:
    fake_twilio.callbacks.plan = StatusPlan(failures={ASHA: 63016}, doubled=1)
    sent = send(client, status_callback=product.url + "/webhook/status?ref=r1")
    for form in product.wait_for(2):
        assert (form["MessageStatus"], form["ErrorCode"]) == (["failed"], ["63016"])
    assert client.messages(str(sent.sid)).fetch().error_code == 63016


def test_another_program_can_steer_it(fake_twilio: FakeTwilio, client: Client, product: Product) -> None:
    fake_twilio.webhook_url = product.webhook

    def steer(wish: str, asked: dict[str, object]) -> requests.Response:
        return requests.post(f"{fake_twilio.url}/sandbox/{wish}", json=asked, timeout=5)

    assert steer("inbound", {"from": ASHA, "body": "Hi", "fields": {"ExternalUserId": "IN.1"}}).json()["status"] == 200
    assert product.forms[0]["ExternalUserId"] == ["IN.1"]
    assert steer("faults", {"send": {"script": ["503"]}}).ok
    with pytest.raises(TwilioRestException):
        send(client)
    assert steer("faults", {"send": {"script": ["flood"]}}).status_code == 400
    seen = requests.get(f"{fake_twilio.url}/sandbox/messages", timeout=5).json()
    assert [(message["direction"], message["body"]) for message in seen] == [("inbound", "Hi")]
