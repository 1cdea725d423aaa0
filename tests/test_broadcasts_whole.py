"""A broadcast through the whole service, while worker processes are killed: judged by what Twilio accepted."""

import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from sandbox.faults import FaultPlan
from sandbox.laptop import Laptop

PEOPLE = 60
TEXT = "The office is closed on Monday"
SETTINGS = {"TWILIO_MESSAGES_PER_SECOND": "25", "WORKER_PROCESSES": "2", "WORKER_THREADS": "4"}


def ask(laptop: Laptop, path: str, wish: dict[str, str] | None = None, method: str = "GET") -> dict[str, Any]:
    """What an admin is answered."""
    headers = {"Authorization": f"Bearer {laptop.services.env['ADMIN_TOKEN']}", "Idempotency-Key": "monday"}
    request = Request(laptop.url + path, json.dumps(wish).encode() if wish else None, headers, method=method)
    with urlopen(request, timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def heard(laptop: Laptop) -> Counter[str]:
    return Counter(message.to for message in laptop.twilio.ledger.all() if message.body == TEXT)


def wait_until(condition: Callable[[], bool], seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="worker processes are found through /proc")
def test_each_gets_it_once_while_workers_are_killed_and_it_is_paused_and_resumed(tmp_path: Path) -> None:
    with Laptop(tmp_path, settings=SETTINGS) as laptop:
        people = [laptop.twilio.person(f"whatsapp:+9190000{number:05}") for number in range(PEOPLE)]
        for person in people:
            person.say("Hi")
        for person in people:
            person.wait_for_replies(1, 60)
        laptop.twilio.faults["send"] = FaultPlan(latency=(0.05, 0.2))
        made = [ask(laptop, "/send-broadcast", {"message": TEXT}, "POST") for _ in range(2)]
        id_ = made[0]["broadcast_id"]
        assert made[1]["broadcast_id"] == id_

        wait_until(lambda: heard(laptop).total() >= 8)
        os.kill(laptop.services.worker_children()[0], signal.SIGKILL)
        wait_until(lambda: heard(laptop).total() >= 20)
        assert ask(laptop, f"/broadcasts/{id_}/pause", method="POST")["status"] == "paused"
        time.sleep(2)
        paused_at = heard(laptop).total()
        laptop.services.kill("worker")
        laptop.services.start("worker")
        before = len(people[0].replies)
        people[0].say("HELP")
        people[0].wait_for_replies(before + 1, 60)
        assert heard(laptop).total() == paused_at < PEOPLE

        assert ask(laptop, f"/broadcasts/{id_}/resume", method="POST")["status"] == "running"
        wait_until(lambda: heard(laptop).total() >= paused_at + 8)
        os.kill(laptop.services.worker_children()[-1], signal.SIGKILL)
        wait_until(lambda: ask(laptop, f"/broadcasts/{id_}")["status"] == "done")
        wait_until(lambda: ask(laptop, f"/broadcasts/{id_}")["delivered"] == PEOPLE)
        now = ask(laptop, f"/broadcasts/{id_}")
    assert heard(laptop) == dict.fromkeys((person.address for person in people), 1)
    assert (now["recipients"], now["sent"], now["failed"], now["skipped"]) == (PEOPLE, PEOPLE, 0, 0)
