"""The people: each a thread that writes what is planned, by webhooks as Twilio sends them."""

import threading
import time
from dataclasses import dataclass

from chaos.plans import HELP, Plan
from chaos.replies import replies_in
from sandbox.twilio import FakeTwilio

POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Sent:
    """One message of a person. Times are `time.monotonic()`: from the posting to the last answer of the webhook."""

    sid: str
    text: str
    posted_at: float
    through_at: float
    acknowledged: bool


class Writer(threading.Thread):
    """One person. `holds_on`: what was not acknowledged is waited for, whatever the plan says, before writing on."""

    def __init__(self, plan: Plan, twilio: FakeTwilio, gave_up: threading.Event, holds_on: bool) -> None:
        super().__init__(daemon=True)
        self.plan = plan
        self.sent: list[Sent] = []
        self._twilio = twilio
        self._person = twilio.person(plan.address, name=plan.name)
        self._gave_up = gave_up
        self._holds_on = holds_on

    def run(self) -> None:
        """Write everything, or stop when the run was given up."""
        if self._gave_up.wait(self.plan.arrives):
            return
        for number, text in enumerate(self.plan.says):
            if self._gave_up.wait(self.plan.pauses[number]):
                return
            self._write(number, text)
            if self._holds_on and (self.plan.waits or not all(sent.acknowledged for sent in self.sent)):
                self._wait_for_replies()

    def unanswered(self) -> list[Sent]:
        """What has had no reply so far."""
        answered = {reply.cause for reply in replies_in(self._twilio.sent_to(self.plan.address))}
        return [sent for sent in list(self.sent) if sent.sid not in answered]

    def _write(self, number: int, text: str) -> None:
        help_too = threading.Thread(target=self._say, args=(HELP, None), daemon=True)
        if number == self.plan.help_at and number:
            help_too.start()
        self._say(text, self.plan.repeats[number])
        if help_too.ident:
            help_too.join()

    def _say(self, text: str, again_after: float | None) -> None:
        posted_at = time.monotonic()
        delivery = self._person.say(text, again_after=again_after)
        self.sent.append(Sent(delivery.sid, text, posted_at, time.monotonic(), delivery.acknowledged))

    def _wait_for_replies(self) -> None:
        while self.unanswered() and not self._gave_up.wait(POLL_SECONDS):
            continue


class Crowd:
    """All the people of a run."""

    def __init__(self, plans: list[Plan], twilio: FakeTwilio, holds_on: bool) -> None:
        self._gave_up = threading.Event()
        self.writers = [Writer(plan, twilio, self._gave_up, holds_on) for plan in plans]

    def start(self) -> None:
        """Let them begin."""
        for writer in self.writers:
            writer.start()

    def give_up(self) -> None:
        """Nobody writes or waits any longer."""
        self._gave_up.set()
        for writer in self.writers:
            writer.join(20)

    @property
    def writing(self) -> int:
        """How many have not written everything yet."""
        return sum(writer.is_alive() for writer in self.writers)

    @property
    def unanswered(self) -> list[Sent]:
        """Every message that has had no reply so far."""
        return [sent for writer in self.writers for sent in writer.unanswered()]
