"""What a step may ask of the world, each question beside its answers.

A step never performs an effect: it yields one in its `Turn`, the shell performs it and feeds the answer back to
`conversation.advance` as an event.
"""

from dataclasses import dataclass

from pipeline.session import Details


@dataclass(frozen=True, slots=True)
class RequestOtp:
    """Ask the Auth API to send a one-time password to `details.phone`.

    `key` is the sid of the message that asked (the YES, the RESEND); it stays the same in every repeat, so that the
    Auth API can tell a repeat from a new wish.
    """

    details: Details
    key: str


@dataclass(frozen=True, slots=True)
class OtpSent:
    """The OTP is on its way."""


@dataclass(frozen=True, slots=True)
class OtpUnderWay:
    """An OTP was sent a moment ago (perhaps by our own first call, whose answer was lost); another in `seconds`."""

    seconds: int


@dataclass(frozen=True, slots=True)
class AlreadyRegistered:
    """The number is registered and verified: the person can log in."""


@dataclass(frozen=True, slots=True)
class OtpRefused:
    """The Auth API understood and said no: asking again with the same details gives the same answer."""


@dataclass(frozen=True, slots=True)
class AuthUnavailable:
    """No usable answer: connect failure, time-out, 429, 5xx, not JSON. Worth asking again later."""


OtpAnswer = OtpSent | OtpUnderWay | AlreadyRegistered | OtpRefused | AuthUnavailable


@dataclass(frozen=True, slots=True)
class OtpDue:
    """The time has come to ask again for an OTP that is still owed (`Session.owed`)."""


@dataclass(frozen=True, slots=True)
class EraseContact:
    """Erase all we keep about the person."""


@dataclass(frozen=True, slots=True)
class Erased:
    """Everything is erased once this turn is committed; `receipt` is the number the person may quote."""

    receipt: str


Effect = RequestOtp | EraseContact
Answer = OtpAnswer | Erased
