"""The steps of the registration: each takes what was said at its question."""

from dataclasses import replace

from pipeline import answers
from pipeline.session import Session, Turn
from pipeline.steps.exchange import Exchange
from pipeline.steps.otp import request_otp
from pipeline.texts import en as texts


def name(exchange: Exchange) -> Turn:
    """Who registers."""
    heard = answers.read_name(exchange.said)
    if isinstance(heard, answers.Wrong):
        return exchange.not_understood(texts.wrong(heard.why, heard.seen))
    return exchange.accept(replace(exchange.session.data, name=heard), texts.heard_name(heard))


def sector(exchange: Exchange) -> Turn:
    """The business sector; a near miss is offered, something that fits several is asked about."""
    session, said = exchange.session, exchange.said
    plain = replace(exchange, session=replace(session, asking="", offered=""))
    if session.asking == "sector" and answers.says_yes(said):
        return _accept_sector(exchange, session.offered)
    if session.asking == "sector" and answers.says_no(said):
        return plain.ask(plain.session)
    meant = answers.sectors_meant(said)
    if len(meant) == 1:
        return _accept_sector(exchange, meant[0])
    if meant:
        return plain.not_understood(texts.which_sector(meant))
    if near := answers.sector_near(said):
        return replace(exchange, session=replace(session, asking="sector", offered=near)).not_understood()
    return plain.not_understood(texts.SECTOR_UNCLEAR)


def _accept_sector(exchange: Exchange, meant: str) -> Turn:
    return exchange.accept(replace(exchange.session.data, sector=meant), texts.heard_sector(meant))


def pincode(exchange: Exchange) -> Turn:
    """Where the business is; a pincode that the data set lacks is taken when it is sent again."""
    session, said = exchange.session, exchange.said
    plain = replace(exchange, session=replace(session, asking="", offered=""))
    offered = session.offered if session.asking == "pincode" else ""
    if offered and answers.says_no(said):
        return plain.ask(plain.session)
    heard = offered if offered and answers.says_yes(said) else answers.read_pincode(said)
    if isinstance(heard, answers.Wrong):
        return plain.not_understood(texts.wrong(heard.why, heard.seen))
    if heard != offered and not answers.is_known(heard):
        return replace(exchange, session=replace(session, asking="pincode", offered=heard)).not_understood()
    words = texts.heard_pincode(heard, answers.place_of(heard))
    return exchange.accept(replace(session.data, pincode=heard), words)


def phone(exchange: Exchange) -> Turn:
    """The mobile number that gets the OTP."""
    heard: str | answers.Wrong
    if answers.says_same(exchange.said):
        heard = answers.own_number(exchange.contact.address) or answers.Wrong("phone_no_own")
    else:
        heard = answers.read_phone(exchange.said)
    if isinstance(heard, answers.Wrong):
        return exchange.not_understood(texts.wrong(heard.why, heard.seen))
    return exchange.accept(replace(exchange.session.data, phone=heard), texts.heard_phone(heard))


def confirmation(exchange: Exchange) -> Turn:
    """YES asks for the OTP; NO or EDIT for what should change."""
    session, said = exchange.session, exchange.said
    field = answers.field_to_change(said) if session.asking == "change" else answers.field_named(said)
    if field == "restart":
        return exchange.ask(started_anew(exchange), texts.STARTED_AGAIN)
    if field:
        return exchange.ask(exchange.moved(field, editing=True), texts.CHANGED)
    if session.asking == "change":
        return exchange.not_understood(texts.CHOOSE_LINE)
    if answers.says_yes(said):
        return request_otp(exchange)
    if answers.says_no(said) or answers.says_edit(said):
        return exchange.ask(exchange.moved("confirmation", asking="change"))
    return exchange.not_understood(texts.YES_OR_NO)


def completed(exchange: Exchange) -> Turn:
    """Registration is done: RESEND asks for another OTP, anything else hears how to log in."""
    if answers.says_resend(exchange.said):
        return request_otp(exchange)
    return exchange.ask(exchange.session, outcome="welcomed")


def started_anew(exchange: Exchange) -> Session:
    """A session at the first question with no answers."""
    return Session("name", created_at=exchange.now, updated_at=exchange.now)
