"""The door: how a message enters, once, whoever brings it (Twilio's webhook, its repeat, the catch-up)."""

import json
from dataclasses import asdict

from redis.client import Pipeline

from pipeline.messages import Inbound
from pipeline.seal import Hasher, Seal
from pipeline.store import PREFIX
from pipeline.store.script import Script


class Door:
    """Seals messages and pushes them to the inbox of whoever wrote them."""

    def __init__(self, seal: Seal, hasher: Hasher, contact_days: int) -> None:
        self._seal = seal
        self._hasher = hasher
        self._contact_days = contact_days
        self._script = Script("door")

    def push(self, pipeline: Pipeline, inbound: Inbound, is_known: bool) -> str:
        """Adds the door's script to a transaction, by digest when Redis `is_known` to know it; its answer there is
        b"taken" or b"again". Returns the key of the address, which the job that wakes a worker carries."""
        address = self._hasher.contact_key(inbound.address)
        other = self._hasher.contact_key(inbound.external_id) if inbound.external_id else ""
        sealed = self._seal.close(json.dumps(asdict(inbound)), address, f"inbox {inbound.sid}")
        self._script.join(pipeline, is_known, address, other, inbound.sid, sealed, self._contact_days)
        return address

    def ask_for(self, pipeline: Pipeline, sid: str) -> None:
        """Adds the question whether this message has come in; its answer there is 1 or 0."""
        pipeline.exists(f"{PREFIX}received:{sid}")
