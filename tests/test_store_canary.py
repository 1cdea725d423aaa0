"""A Redis that was written with other keys is refused before anything is done to it."""

import pytest
from cryptography.fernet import Fernet
from redis import Redis

from pipeline.errors import WrongKeysError
from pipeline.seal import Hasher, Seal
from pipeline.store.canary import check

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
SECRET, OTHER = "a" * 32, "b" * 32


@pytest.fixture
def redis(redis_url: str) -> Redis:
    """A Redis that was written with OLD and SECRET."""
    client = Redis.from_url(redis_url)
    check(client, Seal([OLD]), Hasher(SECRET))
    return client


def test_the_same_keys_are_welcome(redis: Redis) -> None:
    check(redis, Seal([OLD]), Hasher(SECRET))


def test_a_rotated_key_is_welcome_as_long_as_the_old_one_stands_behind_it(redis: Redis) -> None:
    check(redis, Seal([NEW, OLD]), Hasher(SECRET))


def test_a_lost_key_is_told_with_what_to_do(redis: Redis) -> None:
    with pytest.raises(WrongKeysError, match=r"SEAL_KEYS.*Put back the keys") as told:
        check(redis, Seal([NEW]), Hasher(SECRET))
    assert OLD not in str(told.value) and NEW not in str(told.value)


def test_another_contact_secret_is_told_with_what_to_do(redis: Redis) -> None:
    with pytest.raises(WrongKeysError, match=r"CONTACT_SECRET is not the one") as told:
        check(redis, Seal([OLD]), Hasher(OTHER))
    assert OTHER not in str(told.value)


def test_a_damaged_canary_is_refused(redis: Redis) -> None:
    redis.set("msme:canary", "nothing")
    with pytest.raises(WrongKeysError):
        check(redis, Seal([OLD]), Hasher(SECRET))
