"""Encryption at rest, and the opaque key that stands for a person.

A sealed value is `<key id>:<Fernet token>`. Who and which field it belongs to stand inside the token and are checked
on opening, so that a value cannot be moved to another person or field by whoever can write to Redis.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable

from cryptography.fernet import Fernet, InvalidToken

from pipeline.errors import SealError


class Seal:
    """Seals with the first key, opens with any of them. Raises SealError on what it cannot open."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._fernets = {_key_id(key): Fernet(key) for key in keys}
        self.current_key_id = next(iter(self._fernets))

    def close(self, text: str, owner: str, field: str) -> str:
        """`text` sealed so that it opens only as `field` of `owner` (a contact key)."""
        token = self._fernets[self.current_key_id].encrypt(f"{owner}\0{field}\0{text}".encode())
        return f"{self.current_key_id}:{token.decode()}"

    def open(self, sealed: str, owner: str, field: str) -> str:
        """The text again. Raises SealError when the key is unknown, the value damaged, or it is another's."""
        key_id, _, token = sealed.partition(":")
        fernet = self._fernets.get(key_id)
        if fernet is None:
            raise SealError(f"{field} of {owner} is sealed with key {key_id[:8]!r}, which is not in SEAL_KEYS")
        try:
            text = fernet.decrypt(token).decode()
        except (InvalidToken, ValueError):
            raise SealError(f"{field} of {owner} is damaged (key {key_id})") from None
        bound_to = f"{owner}\0{field}\0"
        if not text.startswith(bound_to):
            raise SealError(f"a value sealed for something else stands where {field} of {owner} belongs")
        return text[len(bound_to) :]


def _key_id(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:8]


class Hasher:
    """Keyed hashes under CONTACT_SECRET, which is never rotated: a new one would make everybody a stranger."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def contact_key(self, address: str) -> str:
        """The opaque key of an address, 32 hexadecimal digits: what keys, jobs, logs and metrics carry."""
        return self._digest("contact", address)

    def idempotency_key(self, sid: str) -> str:
        """What tells the Auth API that a call is a repeat: the same for every try of one wish."""
        return self._digest("otp", sid)

    def receipt(self, sid: str) -> str:
        """The number of an erasure, short enough to be read out: it leads back to nobody."""
        return f"DEL-{self._digest('receipt', sid)[:10].upper()}"

    def broadcast_id(self, key: str) -> str:
        """The id of a broadcast: the same for the same key, a new one for an empty key."""
        return f"b{self._digest('broadcast', key or secrets.token_hex(16))[:12]}"

    def _digest(self, purpose: str, text: str) -> str:
        return hmac.digest(self._secret, f"{purpose}\0{text}".encode(), "sha256").hex()[:32]
