"""What Twilio's error codes mean for the message they are about.

Source: Twilio's error dictionary, https://www.twilio.com/docs/api/errors, and what its simulator and accounts showed.
A code comes with the answer to our POST, or later in a status callback.
"""

from pipeline.errors import Decision

_CODES: dict[Decision, tuple[int, ...]] = {
    "stop all": (20003, 20005, 30002, 63001, 63008, 63020, 63051, 90010),
    "our fault": (
        *(20008, 20404, 21212, 21408, 21602, 21603, 21604, 21606, 21609, 21619, 21624, 21654, 21655, 21656),
        *(21658, 21703, 21704, 30016, 63006, 63007, 63027, 63028, 63029, 63030, 63031, 63040, 63041, 63042),
    ),
    "unreachable": (21211, 21401, 21608, 21614, 63003, 63005, 63015, 63024),
    "opted out": (21610, 63014),
    "outside window": (63016,),
    "retry": (20429, 21611, 30001, 63017, 63018, 14107, 20503, 30008, 30410, 63009, 63010, 63012, 63023),
    "in doubt": (20500,),
    "drop": (21605, 21617, 21620, 21623, 30004, 30007, 30036, 63013, 63019, 63021, 63032, 63034, 63049),
}
_DECISIONS: dict[int, Decision] = {code: decision for decision, codes in _CODES.items() for code in codes}

# What an operator can do about it; shown beside every failure.
ADVICE: dict[Decision, str] = {
    "stop all": "Nothing can be sent: check the Twilio credentials, the account's balance and the sender's status.",
    "our fault": "Twilio refuses the request as we make it: check TWILIO_WHATSAPP_NUMBER, PUBLIC_URL and the template.",
    "unreachable": "WhatsApp cannot reach this person (in Twilio's sandbox: they have to join it first).",
    "opted out": "The person stopped or blocked us; nothing is sent to them that we start.",
    "outside window": "More than 24 hours since the person's last message: only an approved template can be sent.",
    "retry": "A passing fault on Twilio's or WhatsApp's side; it is tried again by itself.",
    "in doubt": "It is unknown whether Twilio took the message; it is looked up before anything is sent again.",
    "drop": "WhatsApp does not take this message; sending it again would not help.",
}


def decision_of(code: int) -> Decision | None:
    """What a code means for its message; None for 0 and for codes we don't know."""
    return _DECISIONS.get(code)


def advice(code: int) -> str:
    """What an operator can do about a code, also about one we don't know."""
    decision = decision_of(code)
    return ADVICE[decision] if decision else "Look for its id in the logs."


def decide(code: int, http_status: int) -> Decision:
    """What the answer to a POST means: by its code, else by the class of its HTTP status."""
    known = decision_of(code)
    if known:
        return known
    if http_status in (429, 503):
        return "retry"
    if http_status >= 500 or http_status < 400:
        return "in doubt"
    return "stop all" if http_status == 401 else "drop"
