"""Two machines with workers on one Redis: each with its own copy of the program, environment, folder and clock."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sandbox.laptop import Laptop
from sandbox.person import Person
from sandbox.services import PROJECT, Services
from tests.outside import SMALL, until

PATIENCE = 90.0
REPLIES = ("full name", "business sector", "pincode", "mobile", "YES", "You are registered")
# What Python says the time is, moved. Read by every Python process of the machine before anything else.
CLOCK_OFF_BY = """
import datetime, time
_real = time.time
time.time = lambda: _real() + {seconds}

class _Moved(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)

datetime.datetime = _Moved
"""


class Machine:
    """Worker processes that share nothing with others but Redis, Twilio and the Auth API."""

    def __init__(self, folder: Path, env: dict[str, str], zone: str, seconds_off: int) -> None:
        program, python = folder / "program", folder / "python"
        python.mkdir(parents=True)
        shutil.copytree(PROJECT / "pipeline", program / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(PROJECT / "worker.py", program)
        (python / "sitecustomize.py").write_text(CLOCK_OFF_BY.format(seconds=seconds_off))
        own = {"HOME": str(folder), "TMPDIR": str(folder), "TZ": zone, "PYTHONPATH": str(python)}
        self.services = Services({**env, **own}, folder / "logs", workers=1, project=program)

    @property
    def replies_sent(self) -> int:
        return self.services.log("worker").read_text().count('"event": "sent"')


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """Everything but workers."""
    with Laptop(tmp_path_factory.mktemp("machines"), settings=SMALL, workers=0) as started:
        yield started


@pytest.fixture
def machines(laptop: Laptop, tmp_path: Path) -> Iterator[list[Machine]]:
    """One in India whose clock is 90 s ahead, one in America whose clock is as late."""
    settings = {**laptop.services.env, "WORKER_PROCESSES": "2", "WORKER_THREADS": "2"}
    with ExitStack() as stack:
        started = []
        for name, zone, off in (("first", "Asia/Kolkata", 90), ("second", "America/Lima", -90)):
            machine = Machine(tmp_path / name, settings, zone, off)
            stack.callback(machine.services.stop)
            machine.services.start("worker")
            started.append(machine)
        yield started


def say_all(people: list[Person]) -> None:
    """Everybody types all answers without waiting for a reply; one sentence of each in turn."""
    for text in ("Hi", "Asha Devi", "3", "400001", "", "YES"):
        for person in people:
            person.say(text or mobile(person))


def mobile(person: Person) -> str:
    return person.address[-10:]


def all_registered(laptop: Laptop, people: list[Person]) -> None:
    """Each was answered once a message, in the order of the messages, and got one OTP."""
    for person in people:
        person.wait_for_replies(len(REPLIES), PATIENCE)
    for person in people:
        assert len(person.replies) == len(REPLIES)
        for reply, word in zip(person.replies, REPLIES, strict=True):
            assert word in reply
        assert [otp.phone for otp in laptop.auth.otps].count(f"+91{mobile(person)}") == 1


def test_each_person_is_answered_in_order_and_once_whichever_machine_does_it(
    laptop: Laptop, machines: list[Machine]
) -> None:
    people = [laptop.twilio.person(f"whatsapp:+9196000000{number:02}") for number in range(12)]
    say_all(people)
    all_registered(laptop, people)
    assert all(machine.replies_sent for machine in machines)


def test_when_one_machine_is_gone_the_other_takes_over_what_it_had_in_hand(
    laptop: Laptop, machines: list[Machine]
) -> None:
    people = [laptop.twilio.person(f"whatsapp:+9197000000{number:02}") for number in range(8)]
    say_all(people)
    until(lambda: machines[0].replies_sent > 0)
    machines[0].services.kill("worker")
    all_registered(laptop, people)
