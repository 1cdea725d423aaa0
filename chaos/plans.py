"""What each person is going to write, and when: the same for the same seed."""

import random
from dataclasses import dataclass

FIRST_NAMES = ("Asha", "Ravi", "Meena", "Imran", "Lakshmi", "Joseph", "Gurpreet", "Farida", "Suresh", "Anita")
LAST_NAMES = ("Devi", "Kumar", "Sharma", "Khan", "Iyer", "Thomas", "Singh", "Patel", "Reddy", "Das")
PINCODES = ("400001", "110001", "560001", "600001", "700001", "500001")
HELP = "HELP"

ASKS_FOR_HELP = 0.20
EAGER = 0.50


@dataclass(frozen=True)
class Plan:
    """One person. `repeats`: for each message, after how many seconds Twilio delivers it again; None: it does not."""

    number: int
    name: str
    sector: str
    pincode: str
    arrives: float
    """Seconds from the beginning of the run to the first message."""
    waits: bool
    """Whether they read a reply before they write on; else they write on once Twilio has got its 200."""
    pauses: tuple[float, ...]
    """Seconds before each message."""
    help_at: int
    """The message at whose very moment HELP is sent as well; 0 for none."""
    repeats: tuple[float | None, ...]

    @property
    def address(self) -> str:
        """Where they write from."""
        return f"whatsapp:+9197{self.number:08}"

    @property
    def phone(self) -> str:
        """The number they register with."""
        return f"+9198{self.number:08}"

    @property
    def says(self) -> tuple[str, ...]:
        """The whole registration."""
        return ("Hi", self.name, self.sector, self.pincode, self.phone[3:], "YES")


def plans(seed: int, people: int, seconds: float, pause: tuple[float, float], repeated: float) -> list[Plan]:
    """That many people who arrive within these seconds and pause for so long before each message; `repeated` is the
    share of webhooks that Twilio delivers twice."""
    return [_plan(number, random.Random(f"{seed}|{number}"), seconds, pause, repeated) for number in range(people)]


def _plan(number: int, chance: random.Random, seconds: float, pause: tuple[float, float], repeated: float) -> Plan:
    return Plan(
        number=number,
        name=f"{chance.choice(FIRST_NAMES)} {chance.choice(LAST_NAMES)}",
        sector=str(chance.randint(1, 12)),
        pincode=chance.choice(PINCODES),
        arrives=chance.uniform(0, seconds),
        waits=chance.random() >= EAGER,
        pauses=tuple(chance.uniform(*pause) for _ in range(6)),
        help_at=chance.randint(1, 5) if chance.random() < ASKS_FOR_HELP else 0,
        repeats=tuple(_repeat(chance, repeated) for _ in range(6)),
    )


def _repeat(chance: random.Random, repeated: float) -> float | None:
    if chance.random() >= repeated:
        return None
    return 0.0 if chance.random() < 0.5 else chance.uniform(1, 6)
