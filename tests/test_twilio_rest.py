"""What each answer of Twilio, and each missing one, means for a message; and what its lists tell."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.errors import SendError
from pipeline.twilio_api import rest
from pipeline.twilio_api.rest import TwilioRest
from sandbox.faults import FaultPlan
from sandbox.http_server import Answer, LocalServer, Request, json_answer
from sandbox.status_callbacks import StatusPlan
from sandbox.twilio import FakeTwilio
from tests.service import ASHA, RAVI

REFERENCE = f"{'a' * 32}-SM{'1' * 32}-0"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def client_of(base_url: str, account: str, number: str, credentials: tuple[str, str]) -> TwilioRest:
    return TwilioRest(account, credentials, base_url, number, "https://bot.example.com/webhook/status")


@pytest.fixture
def twilio(fake_twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch) -> TwilioRest:
    """A client of the simulated Twilio that loses its patience after 0.2 s."""
    monkeypatch.setattr(rest, "_TIMEOUT_SECONDS", 0.2)
    fake_twilio.callbacks.plan = StatusPlan(statuses=())
    account = fake_twilio.account
    return client_of(fake_twilio.url, account.sid, account.number, (account.sid, account.auth_token))


def decision(twilio: TwilioRest, text: str = "Hello") -> SendError:
    with pytest.raises(SendError) as refused:
        twilio.send(ASHA, text, REFERENCE)
    return refused.value


def test_a_message_taken_has_a_sid_and_carries_our_reference(twilio: TwilioRest, fake_twilio: FakeTwilio) -> None:
    sid = twilio.send(ASHA, "नमस्ते *you* & me", REFERENCE)
    (message,) = fake_twilio.sent_to(ASHA)
    assert (message.sid, message.body) == (sid, "नमस्ते *you* & me")
    assert message.form["StatusCallback"] == f"https://bot.example.com/webhook/status?ref={REFERENCE}"
    assert message.form["ValidityPeriod"] == "600"


@pytest.mark.parametrize(
    ("fault", "decided", "code"),
    [
        ("429", "retry", 20429),
        ("503", "retry", 20503),
        ("500", "in doubt", 20500),
        ("502", "in doubt", 20500),
        ("504", "in doubt", 20500),
        ("401", "stop all", 20003),
        ("400", "drop", 20001),
        ("dropped_before", "in doubt", 0),
        ("dropped_after", "in doubt", 0),
        ("hang_before", "in doubt", 0),
        ("hang_after", "in doubt", 0),
        ("empty", "in doubt", 0),
        ("unreadable", "in doubt", 0),
    ],
)
def test_each_fault_has_its_decision(
    twilio: TwilioRest, fake_twilio: FakeTwilio, fault: str, decided: str, code: int
) -> None:
    fake_twilio.faults["send"] = FaultPlan(script=[fault], hang_seconds=0.4)
    error = decision(twilio)
    assert (error.decision, error.code) == (decided, code)


@pytest.mark.parametrize(
    ("code", "decided"),
    [(21610, "opted out"), (20003, "stop all"), (21211, "unreachable"), (63016, "outside window"), (99999, "drop")],
)
def test_each_refusal_has_the_decision_of_its_code(
    twilio: TwilioRest, fake_twilio: FakeTwilio, code: int, decided: str
) -> None:
    fake_twilio.faults["send"] = FaultPlan(refusals={ASHA: code})
    error = decision(twilio)
    assert (error.decision, error.code) == (decided, code)


def test_wrong_credentials_stop_everything(fake_twilio: FakeTwilio) -> None:
    account = fake_twilio.account
    twilio = client_of(fake_twilio.url, account.sid, account.number, (account.sid, "wrong"))
    assert decision(twilio).decision == "stop all"


def test_a_message_that_is_too_long_is_dropped(twilio: TwilioRest) -> None:
    assert decision(twilio, "x" * 1601).decision == "drop"


def test_a_refused_connection_proves_that_nothing_was_taken(twilio: TwilioRest, fake_twilio: FakeTwilio) -> None:
    fake_twilio.server.stop()
    assert decision(twilio).decision == "retry"


def test_a_kept_connection_that_was_cut_is_in_doubt_or_tried_anew(twilio: TwilioRest, fake_twilio: FakeTwilio) -> None:
    twilio.send(ASHA, "one", REFERENCE)
    fake_twilio.server.stop()
    fake_twilio.server.start()
    try:
        twilio.send(ASHA, "two", REFERENCE)
    except SendError as error:
        assert error.decision == "in doubt"
    assert len(fake_twilio.sent_to(ASHA)) in (1, 2)


def test_the_wait_that_twilio_names_comes_with_the_error(twilio: TwilioRest, fake_twilio: FakeTwilio) -> None:
    fake_twilio.faults["send"] = FaultPlan(script=["429", "500"], retry_after=7)
    assert decision(twilio).retry_after == 7
    assert decision(twilio).retry_after is None


HTML = Answer(502, b"<html>Bad gateway</html>", {"Content-Type": "text/html"})
ODD_ANSWERS: dict[str, tuple[Answer, str]] = {
    "an error page of a proxy": (HTML, "in doubt"),
    "a page instead of the answer": (Answer(200, b"<html>", {"Content-Type": "text/html"}), "in doubt"),
    "a redirect": (Answer(302, b"", {"Location": "https://example.com"}), "in doubt"),
    "a taken message without a sid": (json_answer(201, {"status": "queued"}), "in doubt"),
    "a sid that is no text": (json_answer(201, {"sid": 5}), "in doubt"),
    "a list": (json_answer(201, ["sid"]), "in doubt"),
    "null": (json_answer(201, None), "in doubt"),
    "a code that is text": (json_answer(400, {"code": "21211", "message": "m", "status": 400}), "unreachable"),
    "an unknown code with 400": (json_answer(400, {"code": 12345, "message": "m", "status": 400}), "drop"),
    "an unknown code with 500": (json_answer(500, {"code": 12345, "message": "m", "status": 500}), "in doubt"),
    "an error without a code": (json_answer(503, {}), "retry"),
    "an error by RFC 9457": (
        json_answer(400, {"type": "t", "title": "t", "status": 400, "code": 21211}),
        "unreachable",
    ),
    "an outage by RFC 9457": (json_answer(429, {"type": "t", "title": "t", "status": 429, "code": 20429}), "retry"),
    "a superscript to wait for": (Answer(503, b"{}", {"Retry-After": "²"}), "retry"),
    "a date to wait for": (Answer(429, b"{}", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}), "retry"),
}


@pytest.fixture
def answering() -> Iterator[Callable[[Answer], TwilioRest]]:
    """Makes a client of a server that has one answer for everything."""
    servers: list[LocalServer] = []

    def start(answer: Answer) -> TwilioRest:
        def always(request: Request) -> Answer:
            return answer

        servers.append(LocalServer(always))
        servers[-1].start()
        return client_of(servers[-1].url, "AC" + "1" * 32, "whatsapp:+14155238886", ("AC", "token"))

    yield start
    for server in servers:
        server.stop()


@pytest.mark.parametrize("which", ODD_ANSWERS)
def test_each_odd_answer_has_a_decision(answering: Callable[[Answer], TwilioRest], which: str) -> None:
    answer, decided = ODD_ANSWERS[which]
    assert decision(answering(answer)).decision == decided


@pytest.mark.parametrize("which", ["an error page of a proxy", "a page instead of the answer", "a list", "null"])
def test_no_odd_answer_to_a_list_gets_through(answering: Callable[[Answer], TwilioRest], which: str) -> None:
    twilio = answering(ODD_ANSWERS[which][0])
    for ask in (lambda: twilio.sent_to(ASHA, LONG_AGO), lambda: twilio.received(LONG_AGO)):
        with pytest.raises(SendError):
            ask()


def test_what_was_sent_to_somebody_is_listed_newest_first(twilio: TwilioRest, fake_twilio: FakeTwilio) -> None:
    sids = [twilio.send(ASHA, text, REFERENCE) for text in ("one", "two", "three")]
    twilio.send(RAVI, "other", REFERENCE)
    fake_twilio.person(ASHA).say("inbound", delivered=False)
    assert [message.sid for message in twilio.sent_to(ASHA, LONG_AGO)] == sids[::-1]


def test_what_was_sent_before_is_not_listed(twilio: TwilioRest, fake_twilio: FakeTwilio) -> None:
    twilio.send(ASHA, "one", REFERENCE)
    assert twilio.sent_to(ASHA, datetime.now(UTC) + timedelta(seconds=5)) == []


def test_what_came_in_is_listed_oldest_first_over_all_pages(
    twilio: TwilioRest, fake_twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "_PAGE_SIZE", 3)
    asha = fake_twilio.person(ASHA)
    said = [asha.say(str(number), delivered=False).sid for number in range(10)]
    twilio.send(ASHA, "outbound", REFERENCE)
    assert [message.sid for message in twilio.received(LONG_AGO)] == said


def test_a_list_that_cannot_be_read_is_to_be_asked_for_again(twilio: TwilioRest, fake_twilio: FakeTwilio) -> None:
    fake_twilio.faults["list"] = FaultPlan(script=["503", "dropped_before", "unreadable"])
    for _ in range(3):
        with pytest.raises(SendError):
            twilio.received(LONG_AGO)


def test_nothing_personal_stands_in_an_error(twilio: TwilioRest, fake_twilio: FakeTwilio) -> None:
    fake_twilio.faults["send"] = FaultPlan(script=["400", "dropped_before"])
    for _ in range(2):
        error = decision(twilio, "a secret")
        shown = f"{error!r} {error} {error.__cause__!r}"
        assert "secret" not in shown and "98765" not in shown


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that names neither proxies nor certificates, until the test does."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


def test_a_proxy_that_the_environment_names_is_used(named: pytest.MonkeyPatch) -> None:
    asked: list[Request] = []

    def pass_on(request: Request) -> Answer:
        asked.append(request)
        return json_answer(201, {"sid": "SM" + "2" * 32})

    account = "AC" + "1" * 32
    with LocalServer(pass_on) as proxy:
        named.setenv("http_proxy", proxy.url.replace("//", "//user:secret@"))
        twilio = client_of("http://twilio.invalid", account, "whatsapp:+14155238886", (account, "token"))
        assert twilio.send(ASHA, "Hello", REFERENCE) == "SM" + "2" * 32
    assert asked[0].headers["host"] == "twilio.invalid"
    assert asked[0].headers["proxy-authorization"] == "Basic dXNlcjpzZWNyZXQ="
    twilio = client_of("http://twilio.invalid", account, "whatsapp:+14155238886", (account, "token"))
    assert decision(twilio).decision == "retry"
