"""How a message comes in: through the door, and with it the job that wakes a worker."""

from pipeline.messages import Inbound
from pipeline.store.door import Door
from pipeline.wakeups import WakeUps


class Intake:
    """What the receiver and the catch-up put messages in with. Redis's errors pass through."""

    def __init__(self, door: Door, wakeups: WakeUps) -> None:
        self._door = door
        self._wakeups = wakeups

    def take(self, inbound: Inbound) -> str:
        """Makes one message durable, in one round trip: `taken`, `again` or `full`; see `store.door`."""
        return self._door.push(inbound, self._wakeups.job_for(self._door.address_key(inbound), inbound.sid))

    def missing(self, sids: list[str]) -> set[str]:
        """Those of these messages that have not come in."""
        return self._door.missing(sids)
