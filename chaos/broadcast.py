"""A broadcast to many people while everything goes wrong, paused and resumed in the middle: each gets it once.

Judged from outside: by the messages that the simulated Twilio accepted. The admin asks over HTTP, as an admin does.
"""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from rich.console import Console
from rich.table import Table

from chaos.faults import SEND_FAULTS, WatchedFaults
from chaos.run import PARENTS, PATIENCE_SECONDS, QUIET_SECONDS, ROUND_SECONDS, Tell
from chaos.scenarios import KILL_EVERY, PARENT_EVERY, REFUSE_EVERY, Timetable
from chaos.trouble import Trouble
from sandbox.laptop import Laptop
from sandbox.ledger import Message
from sandbox.status_callbacks import StatusPlan

TEXT = "The office is closed on Monday."
# Broadcasts have 80 % of the pace: 80 messages a second.
SETTINGS = {"TWILIO_MESSAGES_PER_SECOND": "100", "WORKER_PROCESSES": "2", "WORKER_THREADS": "8"}
WRITERS = 16
PAUSED_SECONDS = 6.0
# What is promised of a pause: after so long nothing goes out any more.
PAUSE_TAKES_SECONDS = 2.0
OFFENDERS_SHOWN = 5


@dataclass(frozen=True)
class BroadcastScenario:
    """How many people it is sent to; `pause_at` and `resume` are parts of them."""

    title: str = "a broadcast at 80/s, paused and resumed; worker processes killed every 2 s, Redis and clock restarted"
    people: int = 2000
    pause_at: float = 0.4

    def timetable(self) -> Timetable:
        """Everything that is done while it runs, in seconds from its start."""
        table: Timetable = [(8.0, "kill clock"), (20.0, "restart Redis")]
        table += [(REFUSE_EVERY * number, "refuse") for number in range(1, 40)]
        return table + [
            (KILL_EVERY * number, "kill worker parent" if number % PARENT_EVERY == 0 else "kill worker")
            for number in range(1, 300)
        ]


BROADCAST = BroadcastScenario()


@dataclass
class BroadcastOutcome:
    """All that is known afterwards. `accepted` counts by address what Twilio took, `told` is what the service itself
    says of the broadcast, `in_the_pause` what went out when nothing should have."""

    scenario: BroadcastScenario
    seed: int
    seconds: float
    people: list[str]
    accepted: Counter[str]
    told: dict[str, Any]
    in_the_pause: int
    trouble: Trouble
    faults: Counter[str]
    logs: Path
    offences: list[str] = field(init=False)

    def __post_init__(self) -> None:
        wrong = {address: self.accepted[address] for address in self.people if self.accepted[address] != 1}
        self.offences = [f"{address} got it {times} times" for address, times in wrong.items()]
        self.offences += [f"{address} is a stranger" for address in self.accepted.keys() - set(self.people)]
        expected = {"status": "done", "recipients": len(self.people), "sent": len(self.people), "queued": 0}
        self.offences += [
            f"{name} is told to be {self.told.get(name)}, not {value}"
            for name, value in expected.items()
            if self.told.get(name) != value
        ]
        if self.in_the_pause:
            self.offences.append(f"{self.in_the_pause} went out while it was paused")
        self.offences += [f"{name} ended by itself" for name in self.trouble.ended_by_themselves]

    @property
    def failed(self) -> bool:
        """Whether anything was not as it has to be."""
        return bool(self.offences)


class BroadcastRun:
    """The run. `tell` is called with a line about how it goes."""

    def __init__(self, scenario: BroadcastScenario, seed: int, folder: Path, tell: Tell) -> None:
        self.scenario = scenario
        self._seed = seed
        self._tell = tell
        statuses = StatusPlan(delay=(0.05, 1.0), shuffled=0.2, doubled=0.1, lost=0.1, seed=seed)
        self._laptop = Laptop(folder, workers=PARENTS, settings=SETTINGS, statuses=statuses)
        self._people = [f"whatsapp:+9196{number:08}" for number in range(scenario.people)]
        self._faults = WatchedFaults(seed, SEND_FAULTS)
        self._trouble = Trouble(self._laptop, scenario.timetable(), seed)

    def run(self) -> BroadcastOutcome:
        """From start to verdict. From the main thread: it starts processes. Raises NotHealthy and its like."""
        self._tell("starting …")
        with self._laptop:
            self._gather()
            self._laptop.twilio.faults["send"] = self._faults
            began = time.monotonic()
            wish = {"message": TEXT}
            id_ = [self._ask("/send-broadcast", wish, "POST") for _ in range(2)][-1]["broadcast_id"]
            self._trouble.begin()
            self._go_on_until(lambda: len(self._accepted()) >= self.scenario.pause_at * len(self._people))
            in_the_pause = self._pause(id_)
            self._go_on_until(lambda: self._ask(f"/broadcasts/{id_}")["status"] == "done")
            self._settle()
            return BroadcastOutcome(
                scenario=self.scenario,
                seed=self._seed,
                seconds=time.monotonic() - began,
                people=self._people,
                accepted=Counter(message.to for message in self._accepted()),
                told=self._ask(f"/broadcasts/{id_}"),
                in_the_pause=in_the_pause,
                trouble=self._trouble,
                faults=Counter(fault.kind for fault in self._faults.happened),
                logs=self._laptop.services.logs,
            )

    def _gather(self) -> None:
        """Everybody says Hi, before the trouble begins."""
        people = [self._laptop.twilio.person(address) for address in self._people]
        with ThreadPoolExecutor(WRITERS) as writers:
            for number, _ in enumerate(writers.map(lambda person: person.say("Hi"), people)):
                self._tell(f"people who said Hi: {number + 1} of {len(people)}")
        for person in people:
            person.wait_for_replies(1, PATIENCE_SECONDS)

    def _pause(self, id_: str) -> int:
        """Paused for a while, with trouble going on; answers what went out although it should not."""
        self._order(id_, "pause")
        paused_at = time.monotonic()
        self._go_on_until(lambda: time.monotonic() - paused_at > PAUSED_SECONDS)
        late = sum(message.clock > paused_at + PAUSE_TAKES_SECONDS for message in self._accepted())
        self._order(id_, "resume")
        return late

    def _go_on_until(self, condition: Any) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS + len(self._people) / 20
        while not condition() and time.monotonic() < deadline:
            self._trouble.do_what_is_due()
            self._tell(
                f"accepted: {len(self._accepted())} of {len(self._people)}   deeds: {len(self._trouble.happened)}"
            )
            time.sleep(ROUND_SECONDS)

    def _settle(self) -> None:
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < QUIET_SECONDS:
            time.sleep(ROUND_SECONDS)

    def _accepted(self) -> list[Message]:
        return [message for message in self._laptop.twilio.ledger.all() if message.body == TEXT]

    def _order(self, id_: str, wish: str) -> None:
        self._ask(f"/broadcasts/{id_}/{wish}", None, "POST")

    def _ask(self, path: str, wish: dict[str, str] | None = None, method: str = "GET") -> dict[str, Any]:
        """What the admin is answered; asked again while Redis is away."""
        token = self._laptop.services.env["ADMIN_TOKEN"]
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"chaos-{self._seed}"}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            body = json.dumps(wish).encode() if wish else None
            request = Request(self._laptop.url + path, body, headers, method=method)
            try:
                with urlopen(request, timeout=10) as answer:
                    found: dict[str, Any] = json.load(answer)
                return found
            except (OSError, HTTPException):
                if time.monotonic() > deadline:
                    raise
                time.sleep(ROUND_SECONDS)


def show(outcome: BroadcastOutcome, console: Console) -> None:
    """The numbers, and what was wrong."""
    title = f"{outcome.scenario.title} (seed {outcome.seed}, {outcome.seconds:.0f} s)"
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column("")
    table.add_column("", justify="right")
    once = sum(outcome.accepted[address] == 1 for address in outcome.people)
    lost = sum(not outcome.accepted[address] for address in outcome.people)
    rows = [
        ("people who got it exactly once", f"{once} of {len(outcome.people)}"),
        ("… not at all", lost),
        ("… more than once", len(outcome.people) - once - lost),
        ("sent while it was paused", outcome.in_the_pause),
        *sorted(outcome.trouble.counted.items()),
        ("Twilio faults", ", ".join(f"{count} × {kind}" for kind, count in sorted(outcome.faults.items()))),
    ]
    for name, value in rows:
        table.add_row(name, str(value))
    console.print(table)
    for offence in outcome.offences[:OFFENDERS_SHOWN]:
        console.print(offence, style="red", markup=False, soft_wrap=True)
    if outcome.failed:
        console.print(f"{len(outcome.offences)} things were wrong. Logs: {outcome.logs}", style="red", soft_wrap=True)
