"""What a step is given, and how it answers: the question that follows, the next step, the reply."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipeline import answers
from pipeline.desk import Desk
from pipeline.session import Asking, Contact, Details, Outcome, Person, Session, Step, Turn
from pipeline.texts import en as texts
from pipeline.texts.shown import reply

_QUESTIONED: tuple[Step, ...] = ("name", "sector", "pincode", "phone")
_LAST: Step = "confirmation"
_SLIPS_BEFORE_HELP = 3
_SAME_COMPLAINTS = 3
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange: who speaks and where we stand, what was said, when, and the facts of the house.

    `opening`: paragraphs said before all others. `begun` is false before the first question was put: what is answered
    then makes no session.
    """

    contact: Contact
    session: Session
    now: datetime
    desk: Desk
    said: str = ""
    sid: str = ""
    opening: tuple[str, ...] = ()
    begun: bool = True

    @property
    def place(self) -> str:
        """Where the pincode told so far is."""
        return answers.place_of(self.session.data.pincode)

    @property
    def link(self) -> str:
        """The login page for the number told so far."""
        return self.desk.login_link(self.session.data.phone)

    def say(self, session: Session, paragraphs: Iterable[str], outcome: Outcome = "answered") -> Turn:
        """One reply, the conversation then standing at `session`."""
        return Turn(self.person_at(session), (reply([*self.opening, *paragraphs]),), outcome)

    def ask(self, session: Session, *paragraphs: str, outcome: Outcome = "answered") -> Turn:
        """One reply that ends with the question at which `session` stands."""
        question = _question(replace(self, session=session)) if self.begun else texts.SEND_HI
        return self.say(session, [*paragraphs, question], outcome)

    def not_understood(self, *what: str) -> Turn:
        """The same question again after saying what is wrong; with a word on help when it goes on like this.

        The same complaint is made three times a minute at most: two machines that answer each other would never end.
        """
        slips = self.session.slips + 1
        complaint = " ".join(what) or f"{self.session.asking} {self.session.offered}"
        before = self.session.complained_at if complaint == self.session.complaint else ()
        recent = tuple(at for at in before if self.now - at < _MINUTE)
        session = replace(self.session, slips=slips, complaint=complaint, complained_at=(*recent, self.now)[-3:])
        if len(recent) >= _SAME_COMPLAINTS:
            return Turn(self.person_at(session), outcome="muted")
        hint = texts.STILL_HERE if slips >= _SLIPS_BEFORE_HELP else ""
        return self.ask(session, *what, hint, outcome="invalid")

    def accept(self, details: Details, heard: str) -> Turn:
        """On to the first question without an answer, or to the confirmation."""
        told = details.to_json()
        unanswered: list[Step] = [step for step in _QUESTIONED if step not in told]
        return self.ask(self.moved([*unanswered, _LAST][0], data=details, editing=False), heard)

    def moved(
        self, step: Step, *, asking: Asking = "", editing: bool | None = None, data: Details | None = None
    ) -> Session:
        """The session at another question, with nothing left of the last one; `None` keeps what it is."""
        session = self.session
        return Session(
            step,
            created_at=session.created_at,
            updated_at=session.updated_at,
            data=session.data if data is None else data,
            editing=session.editing if editing is None else editing,
            asking=asking,
        )

    def person_at(self, session: Session) -> Person:
        """The person standing at `session`, touched now."""
        return Person(replace(session, updated_at=self.now) if self.begun else None, self.contact)


def _question(exchange: Exchange) -> str:
    """What the person is asked where the session stands."""
    session = exchange.session
    return _ON_TOP[session.asking](session.offered) if session.asking else _QUESTIONS[session.current_step](exchange)


def _confirmation_question(exchange: Exchange) -> str:
    question = texts.owed_question if exchange.session.owed else texts.confirmation_question
    return question(exchange.session.data, exchange.place)


_ON_TOP: dict[Asking, Callable[[str], str]] = {
    "change": lambda _: texts.CHANGE_QUESTION,
    "erase": lambda _: texts.ERASE_QUESTION,
    "sector": texts.did_you_mean,
    "pincode": texts.unknown_pincode,
}
_QUESTIONS: dict[Step, Callable[[Exchange], str]] = {
    "name": lambda _: texts.NAME_QUESTION,
    "sector": lambda _: texts.SECTOR_QUESTION,
    "pincode": lambda _: texts.PINCODE_QUESTION,
    "phone": lambda exchange: texts.phone_question(answers.own_number(exchange.contact.address)),
    "confirmation": _confirmation_question,
    "completed": lambda exchange: texts.registered(exchange.session.data.name, exchange.link),
}
