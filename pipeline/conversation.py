"""The conversation: what is said to a person, and where it stands afterwards. Pure: no I/O, no clock, no chance.

    name → sector → pincode → phone → confirmation → completed

What a person says is first looked up among the words heard everywhere, then given to the step where their session
stands. A turn may ask something of the world (`Turn.effect`); the shell does it and advances again with the answer.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline import answers, steps
from pipeline.answers import Command
from pipeline.desk import Desk
from pipeline.effects import Answer, Erased, OtpAnswer, OtpDue
from pipeline.messages import Inbound
from pipeline.session import Consent, Contact, Person, Session, Step, Turn
from pipeline.steps import Exchange
from pipeline.texts import en as texts

StepFunction = Callable[[Exchange], Turn]

STEPS: dict[Step, StepFunction] = {
    "name": steps.name,
    "sector": steps.sector,
    "pincode": steps.pincode,
    "phone": steps.phone,
    "confirmation": steps.confirmation,
    "completed": steps.completed,
}

# START is a greeting that opts in again as well.
HEARD_EVERYWHERE: dict[Command, StepFunction] = {
    "hello": steps.hello,
    "help": steps.help_menu,
    "restart": steps.restart,
    "support": steps.support,
    "back": steps.back,
    "status": steps.status,
    "stop": steps.stop,
    "start": steps.hello,
    "my_data": steps.my_data,
    "erase": steps.erase,
}

_CONSENT_WORDS = 100  # characters


def advance(person: Person, event: Inbound | Answer | OtpDue, now: datetime, desk: Desk) -> Turn:
    """The turn that `event` makes; raises for no text whatever.

    `now` is aware, in UTC. A turn has one reply, except: none yet beside an effect, and none where nobody waits for
    one (Twilio has answered an opt-out by itself, a repeated try for an OTP failed, an event that is out of date).
    """
    match event:
        case Inbound():
            turn = _hear(person, event, now, desk)
        case Erased(receipt):
            turn = steps.erased(person.contact, receipt)
        case _:
            turn = _answered(person, event, now, desk)
    return _remembered(turn)


def _hear(person: Person, inbound: Inbound, now: datetime, desk: Desk) -> Turn:
    """What the person says, whatever it is."""
    contact = replace(person.contact, last_inbound=now)
    if inbound.opt_out:
        return _opted_by_twilio(Person(person.session, contact), inbound.opt_out, now)
    command = answers.command_in(inbound.said)
    opening: tuple[str, ...] = ()
    if command == "start" and contact.opted_out_at:
        contact, opening = replace(contact, opted_out_at=None), (texts.OPTED_IN,)
    session = _live(person.session, now, desk) or _registered(contact, now)
    if not session:
        newcomer = Exchange(contact, Session("name", now, now), now, desk, inbound.said, inbound.sid, opening)
        return _begin(newcomer, command)
    exchange = Exchange(contact, session, now, desk, inbound.said, inbound.sid, opening)
    readable = not (inbound.media or inbound.location) and answers.is_readable(inbound.said)
    return _consented(_respond(exchange, command, readable), inbound.said)


def _begin(exchange: Exchange, command: Command | None) -> Turn:
    """There is no session: the welcome, whatever was said, but for the words that do not wait for it."""
    match command:
        case "stop" | "my_data":
            return HEARD_EVERYWHERE[command](replace(exchange, begun=False))
        case "erase":
            return steps.erase(exchange)
        case "support":
            return replace(steps.welcome(exchange, texts.support(exchange.desk)), outcome="support")
    return steps.welcome(exchange)


def _respond(exchange: Exchange, command: Command | None, readable: bool) -> Turn:
    """A word heard everywhere, else an answer to the question at which the session stands."""
    session = exchange.session
    if session.asking == "erase" and command != "erase":
        if readable and answers.says_yes(exchange.said):
            return steps.erase_confirmed(exchange)
        opening = (texts.NOTHING_ERASED, *exchange.opening)
        exchange = replace(exchange, session=replace(session, asking=""), opening=opening)
        if not command:
            return steps.not_erased(exchange)
    if command:
        return HEARD_EVERYWHERE[command](exchange)
    return STEPS[session.current_step](exchange) if readable else steps.unreadable(exchange)


def _answered(person: Person, answer: OtpAnswer | OtpDue, now: datetime, desk: Desk) -> Turn:
    """What the world says: the Auth API's answer, or that the time has come to ask it again."""
    session = _live(person.session, now, desk)
    if not session:
        # What was owed goes with the session, else its time would come again and again.
        return Turn(Person(None, person.contact), outcome="silent")
    exchange = Exchange(person.contact, session, now, desk)
    return steps.otp_due(exchange) if isinstance(answer, OtpDue) else steps.otp_answered(exchange, answer)


def _live(session: Session | None, now: datetime, desk: Desk) -> Session | None:
    """The session if it has not expired: the store drops it about then, the time that was promised decides."""
    lasts = timedelta(hours=desk.session_hours)
    return session if session and now - session.updated_at < lasts else None


def _registered(contact: Contact, now: datetime) -> Session | None:
    """Where somebody who has registered stands, however long ago that was."""
    if not contact.registered_at or not contact.details.phone:
        return None
    return Session("completed", created_at=now, updated_at=now, data=contact.details)


def _opted_by_twilio(person: Person, opt_out: str, now: datetime) -> Turn:
    """Twilio's Advanced Opt-Out has answered already; what it did is remembered here too."""
    contact, session = person.contact, person.session
    if opt_out == "STOP":
        contact = replace(contact, opted_out_at=contact.opted_out_at or now)
        session = session and replace(session, owed=None)
    elif opt_out == "START":
        contact = replace(contact, opted_out_at=None)
    return Turn(Person(session, contact), outcome="silent")


def _consented(turn: Turn, said: str) -> Turn:
    """Going on is the consent: the first answer after the notice, with the words it was given in."""
    contact = turn.person.contact
    if contact.consent or turn.outcome != "answered" or not contact.last_inbound:
        return turn
    consent = Consent(contact.last_inbound, said[:_CONSENT_WORDS], texts.NOTICE_VERSION)
    return replace(turn, person=replace(turn.person, contact=replace(contact, consent=consent)))


def _remembered(turn: Turn) -> Turn:
    """The contact record knows the last step, also when the session has expired."""
    session, contact = turn.person.session, turn.person.contact
    if not session:
        return turn
    return replace(turn, person=Person(session, replace(contact, last_step=session.current_step)))
