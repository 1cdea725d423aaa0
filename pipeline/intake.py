"""How a message comes in: one transaction of the door's script and the job that wakes a worker."""

from redis.exceptions import NoScriptError

from pipeline.messages import Inbound
from pipeline.store.door import Door
from pipeline.wakeups import WakeUps


class Intake:
    """What the receiver and the catch-up put messages in with. Redis's errors pass through."""

    def __init__(self, door: Door, wakeups: WakeUps) -> None:
        self._door = door
        self._wakeups = wakeups
        self._script_is_known = False

    def take(self, inbound: Inbound) -> str:
        """Makes one message durable, in one round trip: `taken`, `again` (it had come before) or `full` (this person
        has too many waiting)."""
        try:
            return self._take(inbound)
        except NoScriptError:
            # Redis was restarted, and only the wake-up happened, which harms nobody.
            self._script_is_known = False
            return self._take(inbound)

    def _take(self, inbound: Inbound) -> str:
        with self._wakeups.transaction() as pipeline:
            key = self._door.push(pipeline, inbound, self._script_is_known)
            self._wakeups.add(pipeline, key, inbound.sid)
            answer: bytes = pipeline.execute()[0]
        self._script_is_known = True
        return answer.decode()

    def missing(self, sids: list[str]) -> set[str]:
        """Those of these messages that have not come in, found in one round trip."""
        with self._wakeups.transaction() as pipeline:
            for sid in sids:
                self._door.ask_for(pipeline, sid)
            answers = pipeline.execute() if sids else []
        return {sid for sid, is_known in zip(sids, answers, strict=True) if not is_known}
