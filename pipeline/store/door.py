"""The door: how a message enters, once, whoever brings it (Twilio's webhook, its repeat, the catch-up)."""

import json
from collections.abc import Iterable
from dataclasses import asdict

from redis import Redis

from pipeline.messages import Inbound
from pipeline.seal import Hasher, Seal
from pipeline.store import PREFIX
from pipeline.store.script import Script, Word


class Door:
    """Seals messages and pushes them to the inbox of whoever wrote them."""

    def __init__(self, redis: Redis, seal: Seal, hasher: Hasher, contact_days: int) -> None:
        self._redis = redis
        self._seal = seal
        self._hasher = hasher
        self._contact_days = contact_days
        self._script = Script("door")

    def address_key(self, inbound: Inbound) -> str:
        """The key of the address that a message came from, which the job that wakes a worker carries."""
        return self._hasher.contact_key(inbound.address)

    def push(self, inbound: Inbound, job: Iterable[Word]) -> str:
        """Makes one message durable, in one round trip: `taken`, `again` (it had come before) or `full` (this person
        has too many waiting). The `job` (see `wakeups.WakeUps.job_for`) is put on the queue where one is needed."""
        address = self.address_key(inbound)
        other = self._hasher.contact_key(inbound.external_id) if inbound.external_id else ""
        sealed = self._seal.close(json.dumps(asdict(inbound)), address, f"inbox {inbound.sid}")
        answer = self._script(self._redis, address, other, inbound.sid, sealed, self._contact_days, *job)
        return answer.decode() if isinstance(answer, bytes) else str(answer)

    def missing(self, sids: list[str]) -> set[str]:
        """Those of these messages that have not come in, found in one round trip."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for sid in sids:
                pipeline.exists(f"{PREFIX}received:{sid}")
            return {sid for sid, is_known in zip(sids, pipeline.execute(), strict=True) if not is_known}
