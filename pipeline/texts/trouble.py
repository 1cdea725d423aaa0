"""What the bot says of its own accord when something is not as it should be, in English."""

from pipeline.messages import Reply

SOMETHING_WENT_WRONG = (
    "😔 Sorry, something went wrong on our side. Please send that again, or send *SUPPORT* to talk to our team."
)
SLOW_DOWN = "🐢 You are sending messages faster than I can read. Please slow down: I answer one after the other."
SESSION_LOST = "😔 Sorry, I lost your answers through a fault on our side, so we begin anew."
LATE = "🙏 Sorry for this late answer."
_LIMIT = 1600


def late(text: str) -> str:
    """A reply that leaves more than ten minutes late opens with an apology, where there is room for one."""
    return _behind(LATE, text)


def after_lost_session(replies: tuple[Reply, ...]) -> tuple[Reply, ...]:
    """The replies of the first turn after a session that could not be opened."""
    return tuple(Reply(_behind(SESSION_LOST, reply.text)) for reply in replies)


def _behind(opening: str, text: str) -> str:
    whole = f"{opening}\n\n{text}"
    return whole if len(whole.encode("utf-16-le")) // 2 <= _LIMIT else text
