"""The Auth API: what we ask of it, and what each of its answers means."""

from collections.abc import Callable, Iterator

import pytest

from pipeline import auth_api
from pipeline.auth_api import AuthApi
from pipeline.effects import AlreadyRegistered, AuthUnavailable, OtpAnswer, OtpRefused, OtpSent, OtpUnderWay
from pipeline.session import Details
from sandbox.auth import FakeAuth
from sandbox.faults import FaultPlan
from sandbox.http_server import Answer, LocalServer, Request, json_answer

DETAILS = Details("Asha Devi", "Technology", "400001", "+919876543210")


def ask(url: str, key: str = "key") -> OtpAnswer:
    return AuthApi(url).send_otp(DETAILS, key, "SM1")


def test_what_is_asked_is_as_agreed(fake_auth: FakeAuth) -> None:
    assert ask(fake_auth.url) == OtpSent()
    (call,) = fake_auth.calls
    assert (call.idempotency_key, call.request_id) == ("key", "SM1")
    assert call.body == {
        "phone_number": "+919876543210",
        "user_type": "MSME",
        "metadata": {
            "source": "whatsapp",
            "onboarding_data": {"name": "Asha Devi", "sector": "Technology", "pincode": "400001"},
        },
    }


def test_the_same_wish_again_sends_no_second_otp(fake_auth: FakeAuth) -> None:
    assert (ask(fake_auth.url), ask(fake_auth.url)) == (OtpSent(), OtpSent())
    assert len(fake_auth.otps) == 1


def test_an_otp_that_is_under_way_and_a_known_number_are_told_apart(fake_auth: FakeAuth) -> None:
    ask(fake_auth.url)
    answer = ask(fake_auth.url, "another")
    assert isinstance(answer, OtpUnderWay) and 25 <= answer.seconds <= 30
    fake_auth.verified.add(DETAILS.phone)
    assert ask(fake_auth.url, "a third") == AlreadyRegistered()


@pytest.mark.parametrize("fault", ["429", "500", "502", "503", "500_after", "dropped_before", "dropped_after"])
def test_a_fault_is_no_answer(fake_auth: FakeAuth, fault: str) -> None:
    fake_auth.faults = FaultPlan(script=[fault])
    assert ask(fake_auth.url) == AuthUnavailable()


@pytest.mark.parametrize("fault", ["empty", "unreadable"])
def test_an_answer_that_cannot_be_read_is_none(fake_auth: FakeAuth, fault: str) -> None:
    fake_auth.faults = FaultPlan(script=[fault])
    assert ask(fake_auth.url) == AuthUnavailable()


def test_silence_is_no_answer(fake_auth: FakeAuth, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth_api, "_TIMEOUT_SECONDS", (0.1, 0.1))
    fake_auth.faults = FaultPlan(script=["hang_after"], hang_seconds=0.3)
    assert ask(fake_auth.url) == AuthUnavailable()


def test_nobody_there_is_no_answer(fake_auth: FakeAuth) -> None:
    fake_auth.stop()
    assert ask(fake_auth.url) == AuthUnavailable()


ANSWERS: list[tuple[Answer, OtpAnswer]] = [
    (json_answer(200, {"success": True}), OtpSent()),
    (json_answer(201, {"success": True, "message": "OTP sent"}), OtpSent()),
    (json_answer(200, {"success": False, "can_resend_in": 30}), OtpUnderWay(30)),
    (json_answer(400, {"success": False, "can_resend_in": 12}), OtpUnderWay(12)),
    (json_answer(429, {"success": False, "can_resend_in": 12}), OtpUnderWay(12)),
    (json_answer(200, {"success": False, "can_resend_in": 0.2}), OtpUnderWay(1)),
    (json_answer(429, {"success": False}), AuthUnavailable()),
    (json_answer(200, {"success": False, "message": "Number already registered and verified"}), AlreadyRegistered()),
    (json_answer(409, {"success": False, "message": "User already registered"}), AlreadyRegistered()),
    (json_answer(400, {"success": False, "error": "Phone has already been verified"}), AlreadyRegistered()),
    (json_answer(422, {"success": False, "message": "Invalid phone"}), OtpRefused()),
    (json_answer(200, {"success": False}), OtpRefused()),
    (json_answer(404, {"detail": "Not Found"}), OtpRefused()),
    (json_answer(400, {"success": True}), OtpRefused()),
    (json_answer(200, {"success": "yes"}), AuthUnavailable()),
    (json_answer(200, {}), AuthUnavailable()),
    (json_answer(200, []), AuthUnavailable()),
    (json_answer(200, None), AuthUnavailable()),
    (json_answer(500, {"success": True}), AuthUnavailable()),
    (json_answer(503, {"success": False, "can_resend_in": 5}), AuthUnavailable()),
    (Answer(200, b"\xff\xfe{"), AuthUnavailable()),
    (Answer(302, b"", {"Location": "https://example.com"}), AuthUnavailable()),
    (json_answer(200, {"success": False, "can_resend_in": True}), OtpRefused()),
    (json_answer(200, {"success": False, "can_resend_in": "soon"}), OtpRefused()),
    (Answer(200, b'{"success": false, "can_resend_in": Infinity}'), OtpRefused()),
    (Answer(200, b'{"success": false, "can_resend_in": NaN}'), OtpRefused()),
    (json_answer(200, {"success": False, "can_resend_in": -5}), OtpUnderWay(1)),
    (json_answer(200, {"success": False, "message": {"nested": ["list"]}}), OtpRefused()),
]


@pytest.fixture
def answering() -> Iterator[Callable[[Answer], str]]:
    """Starts a server that has one answer for everything; its URL."""
    servers: list[LocalServer] = []

    def start(answer: Answer) -> str:
        def always(request: Request) -> Answer:
            return answer

        servers.append(LocalServer(always))
        servers[-1].start()
        return servers[-1].url

    yield start
    for server in servers:
        server.stop()


@pytest.mark.parametrize(("answer", "meaning"), ANSWERS, ids=lambda value: repr(value)[:60])
def test_each_answer_has_its_meaning(answering: Callable[[Answer], str], answer: Answer, meaning: OtpAnswer) -> None:
    assert ask(answering(answer)) == meaning


def test_its_health_is_told_from_its_answer(fake_auth: FakeAuth, answering: Callable[[Answer], str]) -> None:
    assert AuthApi(fake_auth.url).is_healthy()
    assert not AuthApi(answering(json_answer(503, {}))).is_healthy()
    fake_auth.stop()
    assert not AuthApi(fake_auth.url).is_healthy()
