"""People who write their next message once they were answered: a load end to end, over all parts of the product."""

import asyncio
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from benchmarks.http_client import HttpClient
from benchmarks.neighbours import Behaviour
from benchmarks.stage import Stage
from benchmarks.webhooks import Webhook

_SID = re.compile(r"SM[0-9a-f]{32}")
_PATIENCE_SECONDS = 20.0


def sid_in(reference: str) -> str:
    """The message that a reply with this reference answers."""
    found = _SID.search(reference)
    return found[0] if found else ""


@dataclass
class Replies:
    """When the first reply to each message reached Twilio, by the message's sid, on the monotonic clock."""

    at: dict[str, float] = field(default_factory=dict)

    def note(self, reference: str) -> None:
        """A POST with this reference has come."""
        self.at.setdefault(sid_in(reference), time.monotonic())


@dataclass(frozen=True, slots=True)
class Dialogues:
    """How many messages were answered, in how many seconds."""

    answered: int
    seconds: float

    @property
    def rate(self) -> float:
        """Messages a second, from the webhook to the POST of the reply."""
        return self.answered / self.seconds


def talk(stage: Stage, behaviour: Behaviour, people: list[list[Webhook]], at_once: int) -> Dialogues:
    """That many people at a time register, each writing on once the reply has reached Twilio."""
    return stage.outside.run(_talk(stage, behaviour, iter(people), at_once))


async def _talk(stage: Stage, behaviour: Behaviour, people: Iterator[list[Webhook]], at_once: int) -> Dialogues:
    client, over = HttpClient(stage.port, 16), asyncio.Event()
    rest_of: dict[str, list[Webhook]] = {}
    answered, began = 0, time.monotonic()
    last = began

    def say(messages: list[Webhook]) -> None:
        rest_of[messages[0].sid] = messages[1:]
        client.post(messages[0].request, lambda status: None)

    def go_on(reference: str) -> None:
        nonlocal answered, last
        rest = rest_of.pop(sid_in(reference), None)
        if rest is None:
            return
        answered, last = answered + 1, time.monotonic()
        if rest := rest or next(people, []):
            say(rest)
        elif not rest_of:
            over.set()

    stage.outside.behave(replace(behaviour, on_send=go_on))
    for _ in range(at_once):
        if messages := next(people, []):
            say(messages)
    while not over.is_set() and time.monotonic() - last < _PATIENCE_SECONDS:
        await asyncio.sleep(0.05)
    client.close()
    return Dialogues(answered, last - began)
