"""What goes wrong, on request and repeatably: the same seed and the same requests give the same faults.

The words for a fault:

    ok               none
    429, 500, …      that status instead of the deed (429 and 503 with Retry-After)
    500_after, …     the deed is done, then that status
    dropped_before   the connection is closed, nothing is done
    dropped_after    the deed is done, the connection is closed without an answer
    hang_before      silence, then the connection is closed, nothing is done
    hang_after       the deed is done, the answer comes when the silence is over
    empty            the deed is done, the answer has no body
    unreadable       the deed is done, the answer's body is not JSON
"""

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.http_server import Answer, Dropped

FAULTS = re.compile(r"ok|[45]\d\d(_after)?|dropped_before|dropped_after|hang_before|hang_after|empty|unreadable")


@dataclass
class FaultPlan:
    """Which requests go wrong, and how. `next` is asked once a request."""

    seed: int = 0
    latency: tuple[float, float] = (0.0, 0.0)
    """Every answer takes at least and at most so many seconds."""
    chances: Mapping[str, float] = field(default_factory=dict)
    """Fault -> probability, e.g. {"429": 0.01, "dropped_after": 0.005}."""
    script: Sequence[str] = ()
    """The faults of the first requests, in order, "ok" for none; `chances` apply to those that follow."""
    retry_after: int = 1
    """Seconds in the Retry-After of a 429 or 503."""
    hang_seconds: float = 20.0
    refusals: Mapping[str, int] = field(default_factory=dict)
    """Recipient, or "*" for everybody -> the error code of the service."""

    def __post_init__(self) -> None:
        for fault in (*self.chances, *self.script):
            if not FAULTS.fullmatch(fault):
                raise ValueError(f"unknown fault {fault!r}; the words for faults are:\n{__doc__}")
        if sum(self.chances.values()) > 1:
            raise ValueError("the probabilities of the faults add up to more than 1")
        self._asked: Counter[str] = Counter()
        self._scripted = list(self.script)
        self._lock = threading.Lock()

    def next(self, request: str) -> tuple[str, float]:
        """The fault and the latency in seconds for the next request like this one.

        `request` tells requests apart (such as recipient and text). Since the n-th repeat of each has a fate of its
        own, the order in which threads come does not matter; the script alone goes by order.
        """
        with self._lock:
            self._asked[request] += 1
            chance = random.Random(f"{self.seed}|{request}|{self._asked[request]}")
            latency = chance.uniform(*self.latency)
            if self._scripted:
                return self._scripted.pop(0), latency
        faults = [*self.chances, "ok"]
        weights = [*self.chances.values(), 1 - sum(self.chances.values())]
        return chance.choices(faults, weights)[0], latency

    def refusal(self, recipient: str) -> int | None:
        """The code with which requests for this recipient are refused, if they are."""
        return self.refusals.get(recipient, self.refusals.get("*"))


def answer_with(plan: FaultPlan, request: str, do: Callable[[], Answer], error: Callable[[int, int], Answer]) -> Answer:
    """Do what was asked, as the plan has it. `error(status, retry_after)` makes the service's own error answer.

    Raises Dropped.
    """
    fault, latency = plan.next(request)
    time.sleep(latency)
    if fault[:1].isdigit() and not fault.endswith("_after"):
        return error(int(fault), plan.retry_after)
    if fault.startswith("hang"):
        return _hang(plan.hang_seconds, do if fault == "hang_after" else None)
    if fault == "dropped_before":
        raise Dropped
    answer = do()
    if fault == "ok":
        return answer
    if fault == "dropped_after":
        raise Dropped
    if fault in ("empty", "unreadable"):
        return Answer(answer.status, b"" if fault == "empty" else b'<html>Bad gateway</html>{"sid": "SM')
    return error(int(fault[:3]), plan.retry_after)


def _hang(seconds: float, do: Callable[[], Answer] | None) -> Answer:
    answer = do() if do else None
    time.sleep(seconds)
    if answer is None:
        raise Dropped
    return answer
