"""Asking the Auth API for an OTP, and what its answers mean for the registration.

`Session.owed` stands while an OTP is asked for. Its `tries` is 0 when the person asked just now and waits for a word,
and counts the tries in vain afterwards: those made by the clock stay silent until one succeeds or the last has failed.
"""

from dataclasses import replace

from pipeline.effects import AlreadyRegistered, AuthUnavailable, OtpAnswer, OtpRefused, OtpSent, OtpUnderWay, RequestOtp
from pipeline.session import OwedOtp, Person, Turn
from pipeline.steps.exchange import Exchange
from pipeline.texts import en as texts


def request_otp(exchange: Exchange) -> Turn:
    """Ask at once. While one is owed this is the same wish again, so it keeps the first key."""
    key = exchange.session.owed.key if exchange.session.owed else exchange.sid
    owed = OwedOtp(key, tries=0, retry_at=exchange.now)
    session = replace(exchange.session, asking="", offered="", slips=0, owed=owed)
    return Turn(exchange.person_at(session), effect=RequestOtp(session.data, key))


def otp_due(exchange: Exchange) -> Turn:
    """Ask again for an OTP that is owed, when its time has come."""
    session = exchange.session
    if not session.owed or exchange.now < session.owed.retry_at:
        return silent(exchange)
    return Turn(exchange.person_at(session), outcome="otp", effect=RequestOtp(session.data, session.owed.key))


def otp_answered(exchange: Exchange, answer: OtpAnswer) -> Turn:
    """Go on as the Auth API answered; an answer that nobody waits for changes nothing."""
    session = exchange.session
    if session.current_step not in ("confirmation", "completed"):
        return silent(exchange)
    again = session.current_step == "completed"
    phone, link, desk = session.data.phone, exchange.link, exchange.desk
    match answer:
        case OtpSent():
            return _registered(exchange, texts.otp_sent_again(phone, link) if again else texts.otp_sent(phone, link))
        case OtpUnderWay(seconds):
            return _registered(exchange, texts.otp_under_way(phone, seconds, link))
        case AlreadyRegistered():
            return _registered(exchange, texts.already_registered(phone, link))
        case OtpRefused():
            words = texts.resend_refused(desk, link) if again else texts.otp_refused(desk)
            return exchange.say(replace(session, owed=None), [words], "otp")
        case AuthUnavailable():
            return _unavailable(exchange, "RESEND" if again else "YES")


def silent(exchange: Exchange) -> Turn:
    """Nothing said, nothing changed."""
    return Turn(Person(exchange.session, exchange.contact), outcome="silent")


def _registered(exchange: Exchange, words: str) -> Turn:
    """The registration is complete; somebody who asked for another OTP keeps the day of the first one."""
    session, contact = exchange.session, exchange.contact
    if session.current_step == "confirmation" or not contact.registered_at:
        contact = replace(contact, registered_at=exchange.now, details=session.data)
    completed = exchange.moved("completed", editing=False)
    return replace(exchange, contact=contact).say(completed, [words], "otp")


def _unavailable(exchange: Exchange, again: str) -> Turn:
    session, waits = exchange.session, exchange.desk.otp_waits
    if not session.owed or session.owed.tries >= len(waits):
        return exchange.say(replace(session, owed=None), [texts.otp_given_up(exchange.desk, again)], "otp")
    tries = session.owed.tries
    owed = replace(session.owed, tries=tries + 1, retry_at=exchange.now + waits[tries])
    waiting = replace(session, owed=owed)
    if tries == 0:
        return exchange.say(waiting, [texts.otp_owed(again)], "otp")
    return Turn(exchange.person_at(waiting), outcome="otp")
