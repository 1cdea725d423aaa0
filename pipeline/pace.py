"""How fast we send: the waits between tries of one message. The pace of a sender is kept inside `attempt.lua`."""

MOST_SECONDS = 60.0
# What waits stands before everything said to that person later, so Twilio's wishes have a limit.
MOST_ASKED_SECONDS = 600.0


def retry_delay(tries: int, asked: float | None, chance: float) -> float:
    """Seconds until a message that Twilio did not take is tried again.

    `tries` counts those before this one, `asked` is Twilio's Retry-After, `chance` a random number in [0, 1): waits
    double from 1 s to 60 s, up to half as much again is chance, so that workers do not come back all at once.
    """
    doubled = min(MOST_SECONDS, 2.0 ** min(tries, 10))
    return max(doubled * (1 + chance / 2), min(asked or 0.0, MOST_ASKED_SECONDS))
