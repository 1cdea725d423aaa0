"""Where a conversation stands, what is known of a person, and what one exchange yields.

`Session` is kept 24 hours from the last turn; `Contact` outlives it. Both stand in Redis only sealed; how they look
as JSON is decided here (`to_json`, `from_json`) and the names in it are never changed, only added to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from pipeline.messages import Reply

if TYPE_CHECKING:
    from pipeline.effects import Effect

Step = Literal["name", "sector", "pincode", "phone", "confirmation", "completed"]
STEPS: tuple[Step, ...] = get_args(Step)

# The sectors in the order of the menu: the first is number 1. The Auth API takes these names.
SECTORS = (
    "Manufacturing",
    "Services",
    "Technology",
    "Healthcare",
    "Education",
    "Agriculture",
    "Retail",
    "Construction",
    "Food & Beverage",
    "Textile",
    "Automotive",
    "Other",
)

# A question asked on top of the step: "what should change?", "Did you mean Textile?", "really erase everything?"
Asking = Literal["", "change", "sector", "pincode", "erase"]


@dataclass(frozen=True, slots=True)
class Details:
    """What a person registers with; empty strings where not yet told. `phone` is `+91XXXXXXXXXX`."""

    name: str = ""
    sector: str = ""
    pincode: str = ""
    phone: str = ""

    def to_json(self) -> dict[str, str]:
        """The answers given so far, without the empty ones."""
        pairs = {"name": self.name, "sector": self.sector, "pincode": self.pincode, "phone": self.phone}
        return {key: value for key, value in pairs.items() if value}


@dataclass(frozen=True, slots=True)
class OwedOtp:
    """An OTP the person said YES to and the Auth API could not be asked for yet.

    `key` is the sid of that YES, `tries` how often it was asked for, `retry_at` when it is asked for again.
    """

    key: str
    tries: int
    retry_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """Where a conversation stands.

    `editing`: one answer is being changed and the next one leads back to the confirmation. `asking` with `offered`:
    a question on top of the step and the value it is about. `slips`: how often in a row the same thing was not
    understood. `complaint` with `complained_at`: what was last said to be wrong, and when within the last minute.
    """

    current_step: Step
    created_at: datetime
    updated_at: datetime
    data: Details = field(default_factory=Details)
    editing: bool = False
    asking: Asking = ""
    offered: str = ""
    slips: int = 0
    complaint: str = ""
    complained_at: tuple[datetime, ...] = ()
    owed: OwedOtp | None = None

    def to_json(self) -> dict[str, Any]:
        """As stored (then sealed); the first four names are agreed with others and stay as they are."""
        stored: dict[str, Any] = {
            "current_step": self.current_step,
            "data": self.data.to_json(),
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
        }
        if self.editing:
            stored["editing"] = True
        if self.asking:
            stored |= {"asking": self.asking, "offered": self.offered}
        if self.slips:
            stored["slips"] = self.slips
        if self.complaint:
            stored |= {"complaint": self.complaint, "complained_at": [at.isoformat() for at in self.complained_at]}
        if self.owed:
            owed = self.owed
            stored["owed"] = {"key": owed.key, "tries": owed.tries, "retry_at": owed.retry_at.isoformat()}
        return stored

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The reverse of `to_json`; raises KeyError, TypeError or ValueError on what we never stored."""
        if stored["current_step"] not in STEPS:
            raise ValueError("a session with an unknown step")
        owed = stored.get("owed")
        return cls(
            current_step=stored["current_step"],
            created_at=datetime.fromisoformat(stored["created_at"]),
            updated_at=datetime.fromisoformat(stored["updated_at"]),
            data=Details(**stored["data"]),
            editing=stored.get("editing", False),
            asking=stored.get("asking", ""),
            offered=stored.get("offered", ""),
            slips=stored.get("slips", 0),
            complaint=stored.get("complaint", ""),
            complained_at=tuple(datetime.fromisoformat(at) for at in stored.get("complained_at", ())),
            owed=owed and OwedOtp(owed["key"], owed["tries"], datetime.fromisoformat(owed["retry_at"])),
        )


@dataclass(frozen=True, slots=True)
class Consent:
    """That a person went on after our notice: when, with which words, to which version of the notice."""

    at: datetime
    words: str
    notice: str


@dataclass(frozen=True, slots=True)
class Contact:
    """What is remembered of a person beyond the session. `details` are those of the registration; empty before it."""

    address: str
    language: str = "en"
    consent: Consent | None = None
    opted_out_at: datetime | None = None
    last_inbound: datetime | None = None
    last_step: Step | Literal[""] = ""
    registered_at: datetime | None = None
    details: Details = field(default_factory=Details)

    def to_json(self) -> dict[str, Any]:
        """As stored (then sealed); empty fields are left out."""
        stored: dict[str, Any] = {"address": self.address, "language": self.language}
        if self.consent:
            stored["consent"] = {
                "at": self.consent.at.isoformat(),
                "words": self.consent.words,
                "notice": self.consent.notice,
            }
        for name in ("opted_out_at", "last_inbound", "registered_at"):
            moment: datetime | None = getattr(self, name)
            if moment:
                stored[name] = moment.isoformat()
        if self.last_step:
            stored["last_step"] = self.last_step
        if details := self.details.to_json():
            stored["details"] = details
        return stored

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The reverse of `to_json`; raises KeyError, TypeError or ValueError on what we never stored."""

        def moment(name: str) -> datetime | None:
            return datetime.fromisoformat(stored[name]) if name in stored else None

        consent = stored.get("consent")
        return cls(
            address=stored["address"],
            language=stored.get("language", "en"),
            consent=consent and Consent(datetime.fromisoformat(consent["at"]), consent["words"], consent["notice"]),
            opted_out_at=moment("opted_out_at"),
            last_inbound=moment("last_inbound"),
            last_step=stored.get("last_step", ""),
            registered_at=moment("registered_at"),
            details=Details(**stored.get("details", {})),
        )


@dataclass(frozen=True, slots=True)
class Person:
    """Whom we talk to: the session if there is a live one, and the contact record (a fresh one for a newcomer)."""

    session: Session | None
    contact: Contact

    def at(self, session: Session) -> Self:
        """The same person with their conversation standing at `session`."""
        return replace(self, session=session)


# What became of a turn, for the operator's counts: a valid answer, one we could not take, the same for the fourth time
# within a minute ("muted"), a word heard everywhere, a greeting, the Auth API's answer. "support" puts the person on
# the list of those who asked for the team.
Outcome = Literal["welcomed", "answered", "invalid", "command", "support", "otp", "muted", "silent"]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one exchange yields. With an `effect`, the shell performs it and advances again from `person`."""

    person: Person
    replies: tuple[Reply, ...] = ()
    outcome: Outcome = "answered"
    effect: "Effect | None" = None
