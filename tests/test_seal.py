"""What is sealed opens only with our keys, only for whom and for what it was sealed; keys of people are opaque."""

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import SealError
from pipeline.seal import Hasher, Seal

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
ASHA, RAVI = "a" * 32, "b" * 32


def test_what_was_sealed_opens_again() -> None:
    sealed = Seal([OLD]).close("Asha Devi, 9876543210", ASHA, "session")
    assert "Asha" not in sealed and Seal([OLD]).open(sealed, ASHA, "session") == "Asha Devi, 9876543210"


@given(st.text(), st.text())
def test_any_text_survives(text: str, field: str) -> None:
    text, field = (part.encode(errors="replace").decode() for part in (text, field))
    seal = Seal([OLD])
    assert seal.open(seal.close(text, ASHA, field), ASHA, field) == text


def test_the_same_text_looks_different_each_time() -> None:
    seal = Seal([OLD])
    assert seal.close("YES", ASHA, "inbox") != seal.close("YES", ASHA, "inbox")


@pytest.mark.parametrize(("owner", "field"), [(RAVI, "session"), (ASHA, "contact"), (ASHA, ""), ("", "session")])
def test_a_value_moved_to_another_person_or_field_does_not_open(owner: str, field: str) -> None:
    seal = Seal([OLD])
    with pytest.raises(SealError, match="sealed for something else"):
        seal.open(seal.close("text", ASHA, "session"), owner, field)


def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    before, after = Seal([OLD]), Seal([NEW, OLD])
    assert after.open(before.close("text", ASHA, "session"), ASHA, "session") == "text"
    assert Seal([NEW]).open(after.close("text", ASHA, "session"), ASHA, "session") == "text"


def test_a_key_that_is_gone_is_named_by_its_id() -> None:
    sealed = Seal([OLD]).close("text", ASHA, "session")
    with pytest.raises(SealError, match=Seal([OLD]).current_key_id) as lost:
        Seal([NEW]).open(sealed, ASHA, "session")
    assert OLD not in str(lost.value)


def test_tampering_is_noticed() -> None:
    seal = Seal([OLD])
    sealed = seal.close("text", ASHA, "session")
    for damaged in (sealed[:-1], sealed[:40] + ("A" if sealed[40] != "A" else "B") + sealed[41:], "", ":"):
        with pytest.raises(SealError):
            seal.open(damaged, ASHA, "session")


@given(st.text())
def test_whatever_stands_there_is_refused_and_raises_nothing_else(text: str) -> None:
    seal = Seal([OLD])
    for stored in (text, f"{seal.current_key_id}:{text}"):
        with pytest.raises(SealError):
            seal.open(stored, ASHA, "session")


def test_contact_keys_are_opaque_stable_and_need_the_secret() -> None:
    hasher = Hasher("s" * 32)
    key = hasher.contact_key("whatsapp:+919876543210")
    assert len(key) == 32 and set(key) <= set("0123456789abcdef")
    assert key == Hasher("s" * 32).contact_key("whatsapp:+919876543210") != Hasher("t" * 32).contact_key("whatsapp:+91")
    others = {hasher.contact_key("x"), hasher.idempotency_key("x"), hasher.receipt("x").removeprefix("DEL-").lower()}
    assert len({other[:10] for other in others}) == 3
