"""A person's name."""

import re

from pipeline.answers.typed import has_letter, visible
from pipeline.answers.words import never_a_name
from pipeline.answers.wrong import Wrong

SHORTEST, LONGEST = 2, 100  # code points

_LINK = re.compile(
    r"(?:https?://|www\.)\S+|\S+@\S+\.\w+|[\w-]+(?:\.[\w-]+)*\.(?:com|in|org|net|co|io)(?:/\S*)?", re.IGNORECASE
)
_LEAD_IN = re.compile(
    r"(?:(?:hi|hello|hey)[ ,.!]+)?"
    r"(?:my (?:full |good |shop |business )?name is|my name's|i am|iam|i'm|i’m|this is|mera naam|mera nam|मेरा नाम"
    r"|(?:my )?(?:name|naam|नाम) ?[:=-])[ :]+"
    r"(?P<name>.+?)(?: (?:hai|he|h|है))?[.!।]*",
    re.IGNORECASE,
)
# How people begin when they say what they want instead of their name.
_WISH = re.compile(
    r"(?:i (?:want|need|would|have|like|don'?t)|want to|how (?:to|do|can|much|is)|what (?:is|to|do|are)|why"
    r"|can (?:i|you)|please|pls|plz|mujhe|mujhko|kya|kaise|मुझे|क्या|कैसे) .+",
    re.IGNORECASE,
)


def read_name(text: str) -> str | Wrong:
    """The name in `text` as the person wrote it, in one line: 2–100 characters, any script, at least one letter."""
    line = visible(text)
    if match := _LEAD_IN.fullmatch(line):
        line = match["name"]
    if never_a_name(line) or _WISH.fullmatch(line):
        return Wrong("name_word")
    if _LINK.fullmatch(line):
        return Wrong("name_link")
    if not has_letter(line):
        return Wrong("name_letters")
    if len(line) < SHORTEST:
        return Wrong("name_short")
    if len(line) > LONGEST:
        return Wrong("name_long", len(line))
    return line
