"""The words heard at every step, and how a conversation begins."""

from dataclasses import replace
from datetime import timedelta

from pipeline import answers
from pipeline.effects import EraseContact
from pipeline.session import Contact, Details, Person, Step, Turn
from pipeline.steps.exchange import Exchange
from pipeline.steps.registration import started_anew
from pipeline.texts import en as texts
from pipeline.texts.shown import pincode_and_place, reply

_BEFORE: dict[Step, Step] = {"sector": "name", "pincode": "sector", "phone": "pincode", "confirmation": "phone"}


def welcome(exchange: Exchange, *first: str) -> Turn:
    """The first question, to a newcomer or to somebody whose unfinished registration has expired."""
    contact, hours = exchange.contact, exchange.desk.session_hours
    greeting = texts.expired(hours) if contact.last_step else texts.WELCOME
    notice = "" if contact.consent else texts.NOTICE
    return exchange.ask(started_anew(exchange), *first, greeting, notice, outcome="welcomed")


def hello(exchange: Exchange) -> Turn:
    """A greeting on the way is never an answer: the details so far and the same question."""
    session = exchange.session
    shown = session.current_step in ("confirmation", "completed")
    details = "" if shown else texts.so_far(session.data, exchange.place)
    return exchange.ask(session, texts.WELCOME_BACK, details, outcome="command")


def help_menu(exchange: Exchange) -> Turn:
    """The words that work at any time."""
    return exchange.ask(exchange.session, texts.help_menu(), outcome="command")


def restart(exchange: Exchange) -> Turn:
    """From the first question; who is registered stays so until the new registration is complete."""
    return exchange.ask(started_anew(exchange), texts.STARTED_AGAIN, outcome="command")


def support(exchange: Exchange) -> Turn:
    """How to reach the team."""
    return exchange.ask(exchange.session, texts.support(exchange.desk), outcome="support")


def back(exchange: Exchange) -> Turn:
    """One question back, the answers kept: from a question on top of a step to the step, from an edit to the check."""
    session = exchange.session
    step = session.current_step
    if session.asking:
        return exchange.ask(exchange.moved(step), outcome="command")
    if session.editing:
        return exchange.ask(exchange.moved("confirmation", editing=False), outcome="command")
    if step == "name":
        return exchange.ask(session, texts.FIRST_QUESTION, outcome="command")
    if step == "completed":
        return exchange.ask(session, outcome="command")
    before = _BEFORE[step]
    return exchange.ask(exchange.moved(before), texts.earlier_answer(_answer(exchange, before)), outcome="command")


def _answer(exchange: Exchange, step: Step) -> str:
    details = exchange.session.data
    return pincode_and_place(details.pincode, exchange.place) if step == "pincode" else details.to_json()[step]


def status(exchange: Exchange) -> Turn:
    """Where the registration stands."""
    session = exchange.session
    if session.current_step == "completed":
        return exchange.ask(session, outcome="command")
    words = texts.status(session.current_step, session.data, exchange.place)
    return exchange.ask(session, words, outcome="command")


def stop(exchange: Exchange) -> Turn:
    """No more messages that we start. An OTP still owed would be one, so it is not asked for any more."""
    contact, session = exchange.contact, exchange.session
    opted_out = replace(exchange, contact=replace(contact, opted_out_at=contact.opted_out_at or exchange.now))
    words = texts.stopped(already=contact.opted_out_at is not None, otp_cancelled=session.owed is not None)
    return opted_out.say(replace(session, owed=None), [words], "command")


def my_data(exchange: Exchange) -> Turn:
    """What we keep, and until when."""
    session, now, desk = exchange.session, exchange.now, exchange.desk
    told = Details() if session.current_step == "completed" else session.data
    until, answers_until = now + timedelta(days=desk.contact_days), now + timedelta(hours=desk.session_hours)
    words = texts.my_data(exchange.contact, told, until, answers_until)
    return exchange.ask(session, words, outcome="command")


def erase(exchange: Exchange) -> Turn:
    """Ask before everything is erased; an OTP still owed is not asked for any more."""
    sure = replace(exchange.session, asking="erase", offered="", slips=0, owed=None)
    return exchange.ask(sure, outcome="command")


def erase_confirmed(exchange: Exchange) -> Turn:
    """The person is sure."""
    return Turn(exchange.person_at(exchange.session), outcome="command", effect=EraseContact())


def erased(contact: Contact, receipt: str) -> Turn:
    """Nothing is known of the person any more; the receipt is all they get."""
    return Turn(Person(None, Contact(contact.address)), (reply([texts.erased(receipt)]),), "command")


def not_erased(exchange: Exchange) -> Turn:
    """Anything but YES keeps everything, and leads back to the question before."""
    new = exchange.session.current_step == "name" and not exchange.contact.consent
    return exchange.ask(exchange.session, texts.NOTICE if new else "", outcome="command")


def unreadable(exchange: Exchange) -> Turn:
    """A photo, a voice message, a location, nothing or far too much: text is needed."""
    return exchange.not_understood(texts.TOO_LONG if answers.too_long(exchange.said) else texts.TEXT_ONLY)
