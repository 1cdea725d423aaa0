"""How a session and a contact record look when stored."""

from datetime import UTC, datetime

import pytest

from pipeline.session import Consent, Contact, Details, OwedOtp, Session

BEGAN = datetime(2026, 1, 1, 10, 0, tzinfo=UTC)
LATER = datetime(2026, 1, 1, 10, 5, tzinfo=UTC)
DETAILS = Details("Asha Devi", "Technology", "400001", "+919876543210")


def test_a_session_is_stored_under_the_agreed_names() -> None:
    assert Session("confirmation", BEGAN, LATER, DETAILS).to_json() == {
        "current_step": "confirmation",
        "data": {"name": "Asha Devi", "sector": "Technology", "pincode": "400001", "phone": "+919876543210"},
        "created_at": "2026-01-01T10:00:00+00:00",
        "updated_at": "2026-01-01T10:05:00+00:00",
    }


@pytest.mark.parametrize(
    "session",
    [
        Session("name", BEGAN, LATER),
        Session("sector", BEGAN, LATER, Details("Asha"), asking="sector", offered="Textile", slips=2),
        Session("pincode", BEGAN, LATER, DETAILS, editing=True),
        Session("confirmation", BEGAN, LATER, DETAILS, owed=OwedOtp("SM1", 2, LATER)),
    ],
)
def test_a_session_comes_back_as_it_was(session: Session) -> None:
    assert Session.from_json(session.to_json()) == session


def test_a_session_with_an_unknown_step_is_refused() -> None:
    stored = Session("name", BEGAN, LATER).to_json() | {"current_step": "payment"}
    with pytest.raises(ValueError, match="unknown step"):
        Session.from_json(stored)


@pytest.mark.parametrize(
    "contact",
    [
        Contact("whatsapp:+919876543210"),
        Contact(
            "whatsapp:IN.134",
            consent=Consent(BEGAN, "Asha Devi", "1"),
            opted_out_at=BEGAN,
            last_inbound=LATER,
            last_step="completed",
            registered_at=LATER,
            details=DETAILS,
        ),
    ],
)
def test_a_contact_record_comes_back_as_it_was(contact: Contact) -> None:
    assert Contact.from_json(contact.to_json()) == contact


def test_a_fresh_contact_record_holds_only_the_address_and_the_language() -> None:
    assert Contact("whatsapp:IN.134").to_json() == {"address": "whatsapp:IN.134", "language": "en"}
