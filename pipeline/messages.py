"""What passes between us and a person, in our own words: nothing here knows Twilio's names for things."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message a person sent us.

    `address` is opaque: `whatsapp:+9198…`, or a WhatsApp user id without any phone number. `tapped` is the id of a
    button or list entry, which says the same as typing it. `opt_out` is what Twilio's Advanced Opt-Out already did
    with this message ("STOP", "START" or "HELP"; empty when it did nothing).
    """

    sid: str
    address: str
    text: str
    media: int = 0
    location: bool = False
    tapped: str = ""
    opt_out: str = ""
    external_id: str = ""

    @property
    def said(self) -> str:
        """What the person meant to say: the tapped choice, else the text."""
        return self.tapped or self.text


@dataclass(frozen=True, slots=True)
class Reply:
    """One message of ours, at most 1,600 UTF-16 units (Twilio refuses longer ones with 21617)."""

    text: str


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """What Twilio says later of a message it took: `status` as Twilio names it, `code` its error code or 0."""

    reference: str
    sid: str
    status: str
    code: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """A message as Twilio's list shows it: asked for after an outage, and when the outcome of an attempt is unknown."""

    sid: str
    inbound: bool
    address: str
    text: str
    created: datetime
    media: int = 0
