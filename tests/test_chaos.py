"""The proof under fire, in small; and that it would notice what it looks for."""

import subprocess
import sys

import pytest

from chaos.crowd import Sent
from chaos.plans import Plan
from chaos.replies import Reply
from chaos.verdict import Verdict, judge
from sandbox.auth import Call, FakeAuth, Otp
from sandbox.services import PROJECT

PLAN = Plan(
    number=7,
    name="Asha Devi",
    sector="3",
    pincode="400001",
    arrives=0,
    waits=False,
    pauses=(0,) * 6,
    help_at=0,
    repeats=(None,) * 6,
)
HEARD = (
    "Welcome! What is your full name?",
    "What is your business sector?",
    "What is the pincode of your business?",
    "What is your mobile number?",
    "Please check your details",
    "You are registered. http://localhost/login?phone=1",
)
SENT = [Sent(f"SM{number:032x}", text, number, number + 0.5, True) for number, text in enumerate(PLAN.says)]
REPLIES = [Reply(f"key-{sent.sid}-0", sent.sid, text, sent.through_at) for sent, text in zip(SENT, HEARD, strict=True)]


@pytest.mark.timeout(240)
@pytest.mark.skipif(sys.platform != "linux", reason="worker processes are found through /proc")
def test_nothing_is_lost_doubled_or_out_of_order_while_processes_die_and_twilio_fails() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "chaos", "--scenario", "short", "--seed", "2"],
        check=False,
        capture_output=True,
        text=True,
        cwd=PROJECT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "40 of 40" in done.stdout


def judged(replies: list[Reply]) -> Verdict:
    auth = FakeAuth()
    details = {"name": PLAN.name, "sector": "Technology", "pincode": PLAN.pincode}
    body = {"phone_number": PLAN.phone, "metadata": {"onboarding_data": details}}
    auth.calls.append(Call(body, "key", "trace", 5.2))
    auth.otps.append(Otp(PLAN.phone, "123456", 5.2))
    return judge(PLAN, SENT, replies, auth)


def test_a_person_who_heard_everything_in_order_has_no_complaint() -> None:
    assert judged(REPLIES).offences == []


def test_a_reply_that_never_came_is_lost() -> None:
    assert judged(REPLIES[:2] + REPLIES[3:]).lost == [f"lost: no reply to '3' ({SENT[2].sid})"]


def test_a_reply_that_came_twice_is_doubled() -> None:
    assert len(judged([*REPLIES, REPLIES[-1]]).doubled) == 1


def test_a_second_reply_to_one_message_is_doubled() -> None:
    second = Reply(f"key-{SENT[5].sid}-1", SENT[5].sid, HEARD[5], 9)
    assert len(judged([*REPLIES, second]).doubled) == 1


def test_replies_that_changed_places_are_out_of_order() -> None:
    swapped = [*REPLIES[:2], REPLIES[3], REPLIES[2], *REPLIES[4:]]
    assert judged(swapped).out_of_order == ["out of order: '400001' was answered before '3'"]


def test_a_reply_that_does_not_fit_where_the_person_stands_is_wrong() -> None:
    again = Reply(REPLIES[3].reference, REPLIES[3].cause, HEARD[2], REPLIES[3].clock)
    assert judged([*REPLIES[:3], again, *REPLIES[4:]]).wrong


def test_without_the_success_message_nobody_counts_as_registered() -> None:
    assert not judged(REPLIES[:5]).completed
