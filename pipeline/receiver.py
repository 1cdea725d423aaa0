"""The receiver's side of things: is this Twilio, and make it durable. Wired once a web process; Redis's errors pass."""

import hmac
import time
from datetime import UTC, datetime
from typing import Any

from redis import Redis
from werkzeug.datastructures import MultiDict

from pipeline.errors import Decision
from pipeline.intake import Intake
from pipeline.messages import DeliveryStatus, Inbound
from pipeline.runtime import hasher_of, seal_of
from pipeline.settings import Settings
from pipeline.store import canary
from pipeline.store.door import Door
from pipeline.store.statuses import Statuses
from pipeline.store.watermark import Watermark
from pipeline.twilio_api.webhooks import Signature
from pipeline.wakeups import WakeUps

# Above this share of maxmemory nothing is taken in, so that what is inside can still be worked off.
_FULL_AT = 0.9


class Receiver:
    """What stands behind the webhooks: signature, door, statuses."""

    def __init__(self, settings: Settings, redis: Redis) -> None:
        """`redis` does not decode, for RQ's sake."""
        self._account_sid = settings.twilio_account_sid
        self._signature = Signature(settings.public_url, settings.auth_tokens)
        self._seal, self._hasher = seal_of(settings), hasher_of(settings)
        self._redis = redis
        door = Door(redis, self._seal, self._hasher, settings.contact_days)
        self._intake = Intake(door, WakeUps(self._redis))
        self._statuses = Statuses(self._redis)
        self._knows_its_keys = False
        self._looked_at = 0.0
        self._is_full = False

    def is_signed(self, target: str, form: "MultiDict[str, str]", signature: str | None, settings: str | None) -> bool:
        """Whether a request comes from Twilio; see `twilio_api.webhooks.Signature`."""
        return self._signature.holds(target, form, signature, settings)

    def is_our_account(self, account_sid: str) -> bool:
        """Whether a webhook is about the account in the settings."""
        return hmac.compare_digest(account_sid.encode(), self._account_sid.encode())

    def take(self, inbound: Inbound) -> str:
        """Makes a message durable: `taken`, `again` or `full`. Raises RedisError, and WrongKeysError when what is in
        this Redis was sealed with other keys."""
        if not self._knows_its_keys:
            self.check_keys()
        return self._intake.take(inbound)

    def check_keys(self) -> None:
        """Raises WrongKeysError when what is in this Redis was sealed with other keys."""
        canary.check(self._redis, self._seal, self._hasher)
        self._knows_its_keys = True

    def ask_for_catch_up(self) -> None:
        """What was sent to us while nobody listened stands in Twilio's list, which is to be read now."""
        Watermark(self._redis).ask(datetime.now(UTC))

    def note(self, status: DeliveryStatus, decision: Decision | None) -> str:
        """Keeps how a message of ours fares, one round trip; see `store.statuses`."""
        return self._statuses.note(status, decision)

    def is_full(self) -> bool:
        """Whether Redis's memory is nearly used up; looked at once a second at most."""
        if time.monotonic() - self._looked_at >= 1:
            self._looked_at = time.monotonic()
            memory: dict[str, Any] = self._redis.info("memory")
            most = int(memory.get("maxmemory", 0))
            self._is_full = most > 0 and int(memory["used_memory"]) > _FULL_AT * most
        return self._is_full
