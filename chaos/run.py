"""One run of a scenario: start everything, let people write, make trouble, wait until it is quiet, judge."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chaos.crowd import Crowd
from chaos.faults import AUTH_FAULTS, SEND_FAULTS, Fault, WatchedFaults
from chaos.plans import plans
from chaos.replies import replies_in
from chaos.scenarios import Scenario
from chaos.trouble import Trouble
from chaos.verdict import Verdict, judge
from chaos.waits import Wait, waits
from sandbox.laptop import Laptop
from sandbox.status_callbacks import StatusPlan

SETTINGS = {
    "AUTH_RETRY_SECONDS": "2,2,4,4,8,8,15,15,30",
    "TWILIO_MESSAGES_PER_SECOND": "400",
    "WORKER_PROCESSES": "2",
    "WORKER_THREADS": "8",
}
PARENTS = 2
# An attempt whose outcome is unknown is settled after 15 s: what would be doubled or late shows by then.
QUIET_SECONDS = 16.5
# Nobody waits longer than this after the last message was written.
PATIENCE_SECONDS = 120.0
ROUND_SECONDS = 0.2


@dataclass
class Outcome:
    """All that is known after a run."""

    scenario: Scenario
    seed: int
    seconds: float
    verdicts: list[Verdict]
    waits: list[Wait]
    trouble: Trouble
    send_faults: list[Fault]
    auth_faults: list[Fault]
    repeated: int
    """How many webhooks were delivered a second time."""
    logs: Path

    @property
    def failed(self) -> bool:
        """Whether anybody did not hear exactly what they had to hear, or a process ended that nobody had touched."""
        return any(verdict.offences for verdict in self.verdicts) or bool(self.trouble.ended_by_themselves)


Tell = Callable[[str], None]


class Run:
    """A scenario under way. `tell` is called with a line about how it goes."""

    def __init__(self, scenario: Scenario, seed: int, folder: Path, tell: Tell) -> None:
        self.scenario = scenario
        self._seed = seed
        self._tell = tell
        self._laptop = Laptop(
            folder,
            workers=PARENTS,
            settings=SETTINGS,
            appendfsync=scenario.appendfsync,
            statuses=StatusPlan(delay=(0.05, 1.0), shuffled=0.2, doubled=0.1, lost=0.1, seed=seed),
        )
        self._send = WatchedFaults(seed, SEND_FAULTS if scenario.faulty else {})
        self._auth = WatchedFaults(seed, AUTH_FAULTS if scenario.faulty else {})
        self._laptop.twilio.faults["send"] = self._send
        self._laptop.auth.faults = self._auth
        planned = plans(seed, scenario.people, scenario.arrivals, scenario.pause, scenario.repeated)
        self._crowd = Crowd(planned, self._laptop.twilio, holds_on=not scenario.outage)
        self._trouble = Trouble(self._laptop, scenario.timetable(), seed)
        self._began = time.monotonic()

    def run(self) -> Outcome:
        """From start to verdict. From the main thread: it starts processes. Raises NotHealthy and its like."""
        self._tell("starting …")
        with self._laptop:
            self._began = time.monotonic()
            if self.scenario.outage:
                self._write_in_an_outage()
            else:
                self._write_in_trouble()
            self._settle()
            self._crowd.give_up()
            return self._outcome()

    def _write_in_trouble(self) -> None:
        self._trouble.begin()
        self._crowd.start()
        deadline = time.monotonic() + self.scenario.arrivals + PATIENCE_SECONDS
        while self._crowd.writing and time.monotonic() < deadline:
            self._trouble.do_what_is_due()
            self._round()

    def _write_in_an_outage(self) -> None:
        services = self._laptop.services
        services.stop("web")
        self._crowd.start()
        while self._crowd.writing or time.monotonic() - self._began < self.scenario.outage:
            self._round()
        services.start("web")
        services.wait_until_healthy()

    def _settle(self) -> None:
        """Until everybody has heard everything, and for a while after."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and (self._is_waited_for() or self._quiet_seconds() < QUIET_SECONDS):
            self._round()

    def _is_waited_for(self) -> bool:
        return bool(self._crowd.unanswered) or any(not verdict.completed for verdict in self._verdicts())

    def _quiet_seconds(self) -> float:
        accepted = (message.clock for message in self._laptop.twilio.ledger.all() if message.direction != "inbound")
        return time.monotonic() - max(accepted, default=0.0)

    def _round(self) -> None:
        ledger = self._laptop.twilio.ledger.all()
        inbound = sum(message.direction == "inbound" for message in ledger)
        self._tell(
            f"{time.monotonic() - self._began:4.0f} s   still writing: {self._crowd.writing} of {self.scenario.people}"
            f"   messages in: {inbound}   replies: {len(ledger) - inbound}   deeds: {len(self._trouble.happened)}"
        )
        time.sleep(ROUND_SECONDS)

    def _verdicts(self) -> list[Verdict]:
        twilio, auth = self._laptop.twilio, self._laptop.auth
        return [
            judge(writer.plan, list(writer.sent), replies_in(twilio.sent_to(writer.plan.address)), auth)
            for writer in self._crowd.writers
        ]

    def _outcome(self) -> Outcome:
        verdicts = self._verdicts()
        sids = [delivery.sid for delivery in self._laptop.twilio.deliveries]
        return Outcome(
            scenario=self.scenario,
            seed=self._seed,
            seconds=time.monotonic() - self._began,
            verdicts=verdicts,
            waits=waits(verdicts, self._trouble.happened, self._send.happened),
            trouble=self._trouble,
            send_faults=self._send.happened,
            auth_faults=self._auth.happened,
            repeated=len(sids) - len(set(sids)),
            logs=self._laptop.services.logs,
        )
