"""Settings become connections and clients: wired once a process, closed in reverse."""

import threading
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from redis import BlockingConnectionPool, Redis
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from pipeline.auth_api import AuthApi
from pipeline.desk import Desk
from pipeline.intake import Intake
from pipeline.seal import Hasher, Seal
from pipeline.settings import Settings
from pipeline.store import canary
from pipeline.store.alarm_notes import AlarmNotes
from pipeline.store.audience import Audience
from pipeline.store.audit import Audit
from pipeline.store.auth_gate import AuthGate
from pipeline.store.broadcasts import Broadcasts
from pipeline.store.door import Door
from pipeline.store.failures import Failures
from pipeline.store.outboxes import Outboxes
from pipeline.store.pulse import Pulses
from pipeline.store.reseal import Resealer
from pipeline.store.schedule import Schedule
from pipeline.store.support import Support
from pipeline.store.tallies import Tallies
from pipeline.store.turns import Hold, Turns
from pipeline.store.upkeep import Upkeep
from pipeline.store.watermark import Watermark
from pipeline.wakeups import WakeUps


def impatient_redis(url: str, connections: int = 2, **options: Any) -> Redis:
    """For the receiver: Twilio waits 15 s in all, so a Redis that is away is said within a second or two, and so is
    that all `connections` have been in use for a while."""
    return _bounded(
        url,
        connections,
        timeout=0.5,
        socket_timeout=0.8,
        socket_connect_timeout=0.8,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        **options,
    )


def patient_redis(url: str, connections: int = 2, **options: Any) -> Redis:
    """For workers and the clock: an outage is waited for, about a minute; then the error is raised."""
    return _bounded(
        url,
        connections,
        timeout=20,
        socket_timeout=5,
        socket_connect_timeout=2,
        health_check_interval=30,
        retry=Retry(ExponentialWithJitterBackoff(base=0.1, cap=1), 60),
        **options,
    )


def _bounded(url: str, connections: int, **options: Any) -> Redis:
    """A client with so many connections at most, opened when they are needed; `timeout` is how long one is waited
    for when all are in use."""
    return Redis.from_pool(BlockingConnectionPool.from_url(url, max_connections=connections, **options))


def seal_of(settings: Settings) -> Seal:
    """The seal with the keys of these settings."""
    return Seal(key.get_secret_value() for key in settings.seal_keys)


def hasher_of(settings: Settings) -> Hasher:
    """The keyed hash with the secret of these settings."""
    return Hasher(settings.contact_secret.get_secret_value())


class Holds:
    """The locks this process holds right now, so that one thread can keep them all alive."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._holds: dict[Hold, float] = {}

    def add(self, hold: Hold) -> None:
        """From now on this lock is renewed."""
        with self._guard:
            self._holds[hold] = time.monotonic()

    def remove(self, hold: Hold) -> None:
        """No longer."""
        with self._guard:
            self._holds.pop(hold, None)

    def younger_than(self, seconds: float) -> list[Hold]:
        """What has been held for less than this."""
        since = time.monotonic() - seconds
        with self._guard:
            return [hold for hold, taken_at in self._holds.items() if taken_at > since]


@dataclass(frozen=True)
class Stores:
    """What stands in Redis, and the queue: what web, worker and command line share."""

    settings: Settings
    seal: Seal
    hasher: Hasher
    redis: Redis
    wakeups: WakeUps

    @classmethod
    def behind(cls, settings: Settings, redis: Redis, queue_redis: Redis) -> Self:
        """Over these connections: one that decodes, and one that does not, for RQ."""
        return cls(settings, seal_of(settings), hasher_of(settings), redis, WakeUps(queue_redis))

    @cached_property
    def turns(self) -> Turns:
        """Everybody's conversations."""
        return Turns(self.redis, self.seal, self.settings.session_hours, self.settings.contact_days)

    @cached_property
    def failures(self) -> Failures:
        """The failed list."""
        return Failures(self.redis, self.seal)

    @cached_property
    def support(self) -> Support:
        """Who asked for the team."""
        return Support(self.redis)

    @cached_property
    def audit(self) -> Audit:
        """Who did what."""
        return Audit(self.redis)

    @cached_property
    def broadcasts(self) -> Broadcasts:
        """All broadcasts."""
        return Broadcasts(self.redis, self.seal)

    @cached_property
    def audience(self) -> Audience:
        """Whom broadcasts can reach."""
        return Audience(self.redis, self.settings.contact_days)

    @cached_property
    def intake(self) -> Intake:
        """The door."""
        return Intake(Door(self.redis, self.seal, self.hasher, self.settings.contact_days), self.wakeups)

    @cached_property
    def tallies(self) -> Tallies:
        """Counters of what happened."""
        return Tallies(self.redis)

    @cached_property
    def pulses(self) -> Pulses:
        """Whether everything is alive."""
        return Pulses(self.redis)

    @cached_property
    def alarm_notes(self) -> AlarmNotes:
        """When alarms were said."""
        return AlarmNotes(self.redis)

    @cached_property
    def upkeep(self) -> Upkeep:
        """What removes old entries."""
        return Upkeep(self.redis, self.failures, self.settings.contact_days, self.settings.failed_days)

    def close(self) -> None:
        """Gives the connections back."""
        self.wakeups.close()
        self.redis.close()


@dataclass(frozen=True)
class Runtime(Stores):
    """What a worker's threads share. `stopping` is set when the process is told to end."""

    desk: Desk
    outboxes: Outboxes
    schedule: Schedule
    watermark: Watermark
    resealer: Resealer
    auth: AuthApi
    auth_gate: AuthGate
    twilio: Any
    holds: Holds = field(default_factory=Holds)
    stopping: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def start(cls, settings: Settings) -> Self:
        """Wires a worker. Raises WrongKeysError when this Redis belongs to other keys."""
        # Only workers talk to Twilio; its REST client is slow to import.
        from pipeline.twilio_api.rest import TwilioRest

        redis = patient_redis(settings.redis_url, settings.redis_connections, decode_responses=True)
        seal, hasher = seal_of(settings), hasher_of(settings)
        canary.check(redis, seal, hasher)
        sender = settings.twilio_whatsapp_number
        return cls(
            settings=settings,
            seal=seal,
            hasher=hasher,
            redis=redis,
            # Each thread waits for a job on a connection of its own; the others add jobs over the rest.
            wakeups=WakeUps(patient_redis(settings.redis_url, settings.worker_threads + settings.redis_connections)),
            desk=settings.desk,
            outboxes=Outboxes(
                redis,
                seal,
                hasher.contact_key(sender),
                settings.twilio_messages_per_second,
                settings.broadcasts_per_second,
            ),
            schedule=Schedule(redis),
            watermark=Watermark(redis),
            resealer=Resealer(redis, seal),
            auth=AuthApi(settings.auth_api_url),
            auth_gate=AuthGate(redis),
            twilio=TwilioRest(
                settings.twilio_account_sid,
                settings.rest_credentials,
                settings.twilio_api_base_url,
                sender,
                f"{settings.public_url}/webhook/status",
            ),
        )
