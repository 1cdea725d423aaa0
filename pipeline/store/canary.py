"""A sealed word that opens only with the keys this Redis belongs to."""

from redis import Redis

from pipeline.errors import SealError, WrongKeysError
from pipeline.seal import Hasher, Seal
from pipeline.store import PREFIX

_KEY = f"{PREFIX}canary"


def check(redis: Redis, seal: Seal, hasher: Hasher) -> None:
    """Leaves a canary in a new Redis; raises WrongKeysError when the one that stands there is not ours."""
    # The owner is a keyed hash, so that a wrong CONTACT_SECRET is found out as well as wrong SEAL_KEYS.
    owner = hasher.contact_key("canary")
    redis.set(_KEY, _canary(seal, owner), nx=True)
    stored = redis.get(_KEY) or ""
    known_owner, _, sealed = (stored.decode() if isinstance(stored, bytes) else stored).partition(" ")
    try:
        seal.open(sealed, known_owner, "canary")
    except SealError as error:
        raise WrongKeysError(
            f"SEAL_KEYS do not open what stands in this Redis ({error}). Put back the keys it was sealed with, "
            "new ones in front of them; or name an empty Redis in REDIS_URL."
        ) from None
    if known_owner != owner:
        raise WrongKeysError(
            "CONTACT_SECRET is not the one this Redis was written with: everybody would be a stranger. "
            "Put the old value back (it is never rotated), or name an empty Redis in REDIS_URL."
        )


def reseal(redis: Redis, seal: Seal, hasher: Hasher) -> None:
    """Seals the canary anew with the first key."""
    redis.set(_KEY, _canary(seal, hasher.contact_key("canary")))


def _canary(seal: Seal, owner: str) -> str:
    return f"{owner} {seal.close('alive', owner, 'canary')}"
