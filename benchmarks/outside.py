"""Everything outside the product, in one thread with an event loop: the neighbours, and the loads that we put on."""

import asyncio
import threading
import time
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from benchmarks.http_client import HttpClient
from benchmarks.neighbours import Behaviour, Neighbours
from benchmarks.webhooks import Webhook
from sandbox.children import free_port
from sandbox.twilio_rest import Account

# No request of a load is waited for longer than this after the last was sent.
PATIENCE_SECONDS = 40.0
# Three, 50 ms apart, after a send of 150 ms at most.
_LAST_CALLBACK_SECONDS = 0.5

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Answered:
    """One request of a load. `seconds` is from the moment it was due (not: sent) to its answer."""

    status: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Load:
    """How a load went."""

    answers: list[Answered]
    seconds: float

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return sum(answered.status == 200 for answered in self.answers) / self.seconds

    @property
    def failures(self) -> int:
        """Answers that were not 200, or did not come."""
        return sum(answered.status != 200 for answered in self.answers)

    @property
    def latencies(self) -> list[float]:
        """Seconds, in the order of the answers."""
        return [answered.seconds for answered in self.answers]


class Outside:
    """Use as a context manager, from the main thread. `url` is the base of both neighbours."""

    def __init__(self, account: Account, web_port: int) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._account = account
        self._web_port = web_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._neighbours = Neighbours(account, web_port)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()
        self.run(self._neighbours.start(self.port))

    def stop(self) -> None:
        """Stop answering."""
        self.run(self._neighbours.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def behave(self, behaviour: Behaviour) -> None:
        """From now on the neighbours are like this."""
        self._neighbours.behaviour = behaviour

    def let_callbacks_end(self) -> None:
        """Waits until every status callback was delivered, so that none is left for what is measured next."""
        time.sleep(_LAST_CALLBACK_SECONDS)
        until = time.monotonic() + PATIENCE_SECONDS
        while self._neighbours.callbacks.is_busy and time.monotonic() < until:
            time.sleep(0.05)

    def run(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        """The result of a coroutine that runs in the loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def closed_loop(self, port: int, requests: Iterable[bytes], connections: int, seconds: float) -> Load:
        """Each connection sends its next request once it has an answer, for so long or until there are no more."""
        return self.run(_closed_loop(port, iter(requests), connections, seconds))

    def open_loop(self, port: int, timetable: Iterable[tuple[float, bytes]], connections: int) -> Load:
        """Each request is sent when it is due (seconds from the start), whatever became of those before."""
        return self.run(_open_loop(port, timetable, connections))


async def _closed_loop(port: int, requests: Iterator[bytes], connections: int, seconds: float) -> Load:
    loop = asyncio.get_running_loop()
    client, over = HttpClient(port, connections), asyncio.Event()
    answers: list[Answered] = []
    began = last = loop.time()
    under_way = 0

    def send() -> None:
        nonlocal under_way
        request = next(requests, None) if loop.time() - began < seconds else None
        if request is None:
            if not under_way:
                over.set()
            return
        under_way += 1
        sent = loop.time()

        def done(status: int) -> None:
            nonlocal under_way, last
            under_way -= 1
            last = loop.time()
            answers.append(Answered(status, last - sent))
            send()

        client.post(request, done)

    for _ in range(connections):
        send()
    await _no_longer_than(seconds + PATIENCE_SECONDS, over)
    client.close()
    return Load(answers, last - began)


async def _open_loop(port: int, timetable: Iterable[tuple[float, bytes]], connections: int) -> Load:
    loop = asyncio.get_running_loop()
    client, over = HttpClient(port, connections), asyncio.Event()
    answers: list[Answered] = []
    began, sent = loop.time(), 0
    for due, request in timetable:
        if (wait := began + due - loop.time()) > 0:
            await asyncio.sleep(wait)
        sent += 1

        def done(status: int, due: float = began + due) -> None:
            answers.append(Answered(status, loop.time() - due))
            if len(answers) == sent:  # noqa: B023 (all that were sent by then, on purpose)
                over.set()

        over.clear()
        client.post(request, done)
    await _no_longer_than(PATIENCE_SECONDS, over)
    client.close()
    missing = [Answered(0, PATIENCE_SECONDS)] * (sent - len(answers))
    return Load(answers + missing, loop.time() - began)


async def _no_longer_than(seconds: float, over: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(over.wait(), seconds)
    except TimeoutError:
        pass


def requests_of(webhooks: Iterable[Webhook]) -> Iterator[bytes]:
    """Only the bytes."""
    return (webhook.request for webhook in webhooks)
