"""The service in this process, one step at a time: messages go in by the door, a worker's turn is a function call.

Nothing here waits: `passes` moves every moment that is kept in Redis (and in the simulated Twilio) into the past.
"""

import json
from dataclasses import dataclass
from typing import Any

from redis import Redis

from pipeline.attend import attend
from pipeline.messages import Inbound
from pipeline.runtime import Runtime
from pipeline.session import Turn
from pipeline.settings import Settings
from pipeline.store.turns import Hold, Standing
from sandbox.auth import FakeAuth
from sandbox.environment import Secrets, environment
from sandbox.ledger import new_sid
from sandbox.status_callbacks import StatusPlan
from sandbox.twilio import FakeTwilio

ASHA = "whatsapp:+919876543210"
RAVI = "whatsapp:+919812345678"
OWN = Secrets.fresh()
_MOMENTS = ("attempted_at", "out_due", "last_post", "last_in", "resend_at", "slowed", "timer")


def settings_for(redis_url: str, twilio: FakeTwilio, auth: FakeAuth, **changes: object) -> Settings:
    """Settings that point at the simulators; `changes` by the names of the fields."""
    chosen = environment(
        port=9, redis_url=redis_url, twilio_url=twilio.url, auth_url=auth.url, account=twilio.account, own=OWN
    )
    fields: dict[str, Any] = {name: chosen[name.upper()] for name in Settings.model_fields if name.upper() in chosen}
    return Settings(_env_file=None, **{**fields, **changes})


@dataclass
class Bot:
    """A worker, and what surrounds it."""

    runtime: Runtime
    redis: Redis
    twilio: FakeTwilio
    auth: FakeAuth

    @classmethod
    def start(cls, redis_url: str, twilio: FakeTwilio, auth: FakeAuth, **changes: object) -> "Bot":
        """Against this Redis; nothing runs until it is told to."""
        twilio.callbacks.plan = StatusPlan(statuses=())
        runtime = Runtime.start(settings_for(redis_url, twilio, auth, **changes))
        return cls(runtime, Redis.from_url(redis_url, decode_responses=True), twilio, auth)

    def close(self) -> None:
        self.runtime.close()
        self.redis.close()

    def key(self, address: str = ASHA) -> str:
        """The contact key of whoever first wrote from this address."""
        return self.runtime.hasher.contact_key(address)

    def hears(self, *texts: str, address: str = ASHA, **more: Any) -> list[str]:
        """Messages come in; their sids."""
        sids = []
        for text in texts:
            inbound = Inbound(**{"sid": new_sid(), "address": address, "text": text, **more})
            self.runtime.intake.take(inbound)
            sids.append(inbound.sid)
        return sids

    def attends(self, address: str = ASHA) -> None:
        """What a worker does when it is woken for this person."""
        attend(self.runtime, self.key(address))

    def attends_patiently(self, address: str = ASHA, rounds: int = 8) -> None:
        """Woken again and again, 16 s apart, until there is nothing left to say; and a moment more, for nobody is
        told two things within a second."""
        for _ in range(rounds):
            self.attends(address)
            due_in = self.due_in(address)
            is_over = not self.waiting(address) and (due_in is None or due_in > 16)
            self.passes(2 if is_over else 16)
            if is_over:
                return

    def takes(self, address: str = ASHA) -> tuple[Hold, Standing]:
        """A worker's hold of this person, also when nothing is to be done yet."""
        taken = self.runtime.turns.take(self.key(address), even_if_idle=True)
        assert taken is not None
        return taken

    def commits(self, hold: Hold, standing: Standing, turn: Turn, counters: list[str]) -> Standing:
        """A turn is committed; nothing of it is sent yet."""
        return self.runtime.turns.commit_call(hold, standing, turn, counters).run(self.runtime.redis)

    def dies(self, address: str = ASHA) -> None:
        """The worker that held this person is gone, and its lock has run out."""
        self.redis.delete(f"msme:lock:{self.key(address)}")

    def said(self, address: str = ASHA) -> list[str]:
        """The texts that Twilio took for this person."""
        return [message.body for message in self.twilio.sent_to(address)]

    def waiting(self, address: str = ASHA) -> int:
        """How many replies and messages of this person wait."""
        return self.redis.llen(f"msme:outbox:{self.key(address)}") + self.redis.llen(f"msme:inbox:{self.key(address)}")

    def person(self, address: str = ASHA) -> dict[str, str]:
        return self.redis.hgetall(f"msme:person:{self.key(address)}")

    def failures(self) -> list[dict[str, Any]]:
        return [json.loads(record) for record in self.redis.hvals("msme:failed")]

    def tally(self, name: str) -> int:
        return sum(int(self.redis.hget(key, name) or 0) for key in self.redis.scan_iter("msme:tally:*"))

    def due_in(self, address: str = ASHA) -> float | None:
        """Seconds until this person is looked after, None when nothing is due."""
        score = self.redis.zscore("msme:due", self.key(address))
        seconds, micros = self.redis.time()
        return None if score is None else score / 1000 - seconds - micros / 1e6

    def passes(self, seconds: float) -> None:
        """That much time goes by."""
        ms = round(seconds * 1000)
        for key in self.redis.scan_iter("msme:person:*"):
            for field in _MOMENTS:
                if (moment := self.redis.hget(key, field)) is not None:
                    self.redis.hset(key, field, int(moment) - ms)
        if probe_at := self.redis.hget("msme:stopped", "probe_at"):
            self.redis.hset("msme:stopped", "probe_at", int(probe_at) - ms)
        for key in self.redis.scan_iter("msme:pace:*"):
            for index, moment in enumerate(self.redis.lrange(key, 0, -1)):
                self.redis.lset(key, index, int(moment) - ms)
        for key in self.redis.scan_iter("msme:outbox:*"):
            for index, entry in enumerate(self.redis.lrange(key, 0, -1)):
                self.redis.lset(key, index, json.dumps({**json.loads(entry), "at": json.loads(entry)["at"] - ms}))
        for member, score in self.redis.zrange("msme:due", 0, -1, withscores=True):
            self.redis.zadd("msme:due", {member: score - ms})
        for message in self.twilio.ledger.all():
            message.created_at -= seconds
