"""The simulated Auth API."""

import pytest
import requests

from sandbox.auth import FakeAuth
from sandbox.faults import FaultPlan

PHONE = "+919876543210"


def ask(auth: FakeAuth, key: str, phone: str = PHONE) -> requests.Response:
    body = {"phone_number": phone, "user_type": "MSME", "metadata": {"source": "whatsapp"}}
    headers = {"Idempotency-Key": key, "X-Request-ID": "trace"}
    return requests.post(f"{auth.url}/api/send-otp", json=body, headers=headers, timeout=0.5)


def test_an_otp_is_sent_and_the_call_is_on_record(fake_auth: FakeAuth) -> None:
    assert ask(fake_auth, "k1").json()["success"] is True
    [call], [otp] = fake_auth.calls, fake_auth.otps
    assert (call.idempotency_key, call.request_id, call.body["user_type"]) == ("k1", "trace", "MSME")
    assert otp.phone == PHONE and len(otp.code) == 6


def test_the_same_key_gets_the_same_answer_and_one_otp(fake_auth: FakeAuth) -> None:
    assert ask(fake_auth, "k1").json() == ask(fake_auth, "k1").json()
    assert len(fake_auth.otps) == 1 and len(fake_auth.calls) == 2


def test_another_key_within_the_cooldown_is_told_to_wait(fake_auth: FakeAuth) -> None:
    ask(fake_auth, "k1")
    answer = ask(fake_auth, "k2")
    assert answer.status_code == 200 and answer.json()["success"] is False
    assert 0 < answer.json()["can_resend_in"] <= 30
    assert ask(fake_auth, "k3", "+919876543211").json()["success"] is True


def test_after_the_cooldown_another_otp_is_sent() -> None:
    with FakeAuth(cooldown=0) as auth:
        ask(auth, "k1"), ask(auth, "k2")
        assert len(auth.otps) == 2


def test_a_verified_number_is_told_so(fake_auth: FakeAuth) -> None:
    fake_auth.verified.add(PHONE)
    answer = ask(fake_auth, "k1").json()
    assert answer["success"] is False and "already registered and verified" in answer["message"]


def test_a_number_that_is_none_is_refused(fake_auth: FakeAuth) -> None:
    assert ask(fake_auth, "k1", "9876543210").status_code == 422


@pytest.mark.parametrize("fault", ["429", "500", "503"])
def test_an_error_sends_no_otp(fake_auth: FakeAuth, fault: str) -> None:
    fake_auth.faults = FaultPlan(script=[fault])
    assert ask(fake_auth, "k1").status_code == int(fault)
    assert not fake_auth.otps
    assert ask(fake_auth, "k1").json()["success"] is True


@pytest.mark.parametrize("fault", ["dropped_after", "hang_after", "unreadable", "empty"])
def test_a_lost_answer_and_a_repeat_with_the_same_key_send_one_otp(fake_auth: FakeAuth, fault: str) -> None:
    fake_auth.faults = FaultPlan(script=[fault], hang_seconds=1)
    with pytest.raises((requests.ConnectionError, requests.Timeout, ValueError)):
        ask(fake_auth, "k1").json()
    assert ask(fake_auth, "k1").json()["success"] is True
    assert len(fake_auth.otps) == 1


def test_it_is_healthy_until_it_stops(fake_auth: FakeAuth) -> None:
    assert requests.get(f"{fake_auth.url}/health", timeout=1).ok
    fake_auth.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{fake_auth.url}/health", timeout=1)
