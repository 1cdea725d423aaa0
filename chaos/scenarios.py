"""The runs there are: how many people, and what is done to the service while they write."""

from dataclasses import dataclass

from chaos.trouble import Deed

Timetable = list[tuple[float, Deed]]

KILL_EVERY = 2.0
PARENT_EVERY = 10  # kills
REFUSE_EVERY = 17.0


@dataclass(frozen=True)
class Scenario:
    """One run. Seconds: `arrivals` is the time in which the people come, `pause` what they take before each message."""

    title: str
    people: int
    arrivals: float
    pause: tuple[float, float] = (0.0, 1.0)
    appendfsync: str = "everysec"
    faulty: bool = True
    """Whether Twilio and the Auth API have faults."""
    repeated: float = 0.10
    """The share of webhooks that are delivered twice."""
    kills: bool = True
    deeds: tuple[tuple[float, Deed], ...] = ()
    """What is done once, at which part of the arrivals."""
    outage: float = 0.0
    """Seconds without any web process, from the start on. The people write meanwhile and wait for nothing."""

    def timetable(self) -> Timetable:
        """Everything that is done while people write, in seconds from the start."""
        table: Timetable = [(part * self.arrivals, deed) for part, deed in self.deeds]
        if self.faulty:
            table += [(REFUSE_EVERY * number, "refuse") for number in range(1, 40)]
        if self.kills:
            table += [
                (KILL_EVERY * number, "kill worker parent" if number % PARENT_EVERY == 0 else "kill worker")
                for number in range(1, 300)
            ]
        return table


SCENARIOS = {
    "kills": Scenario(
        title="worker processes killed every 2 s; workers rolled, clock killed, Redis restarted once",
        people=500,
        arrivals=100.0,
        deeds=((0.25, "roll workers"), (0.5, "restart Redis"), (0.75, "kill clock")),
    ),
    "always": Scenario(
        title="appendfsync always, kill -9 of Redis",
        people=60,
        arrivals=15.0,
        appendfsync="always",
        faulty=False,
        kills=False,
        deeds=((0.3, "kill Redis"), (0.7, "kill Redis")),
    ),
    "frozen": Scenario(
        title="worker processes frozen for 4 to 22 s; web processes killed; Redis hangs, and is killed with always",
        people=80,
        arrivals=25.0,
        appendfsync="always",
        kills=False,
        deeds=(
            *((part / 12, "freeze worker") for part in range(1, 12)),
            *((part, "kill web") for part in (0.2, 0.45, 0.65)),
            (0.3, "hang Redis"),
            (0.55, "kill Redis"),
        ),
    ),
    "outage": Scenario(
        title="no web process while people write",
        people=100,
        arrivals=6.0,
        pause=(0.5, 2.0),
        faulty=False,
        kills=False,
        # A repeat that comes after the outage would overtake what is still to be caught up.
        repeated=0.0,
        outage=20.0,
    ),
    "short": Scenario(
        title="the first run, in small",
        people=40,
        arrivals=6.0,
        pause=(0.0, 0.6),
        deeds=((0.3, "restart Redis"), (0.6, "kill clock"), (0.8, "roll workers")),
    ),
}
