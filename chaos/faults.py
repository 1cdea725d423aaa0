"""Faults of Twilio and of the Auth API, remembered as they happen."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.faults import FaultPlan

# 5 % of the sends.
SEND_FAULTS = {
    "429": 0.009,
    "500": 0.008,
    "503": 0.009,
    "dropped_before": 0.008,
    "dropped_after": 0.009,
    "hang_after": 0.004,
    "500_after": 0.003,
}
# 10 % of the calls.
AUTH_FAULTS = {"429": 0.02, "500": 0.02, "503": 0.02, "dropped_before": 0.02, "dropped_after": 0.02}


@dataclass(frozen=True)
class Fault:
    """One request that went wrong: what it was about, how, when (`time.monotonic()`)."""

    request: str
    kind: str
    clock: float


class WatchedFaults(FaultPlan):
    """A FaultPlan that keeps a record."""

    def __init__(self, seed: int, chances: Mapping[str, float]) -> None:
        super().__init__(seed=seed, chances=chances)
        self.happened: list[Fault] = []

    def next(self, request: str) -> tuple[str, float]:
        """As FaultPlan.next."""
        fault, latency = super().next(request)
        if fault != "ok":
            self.happened.append(Fault(request, fault, time.monotonic()))
        return fault, latency
