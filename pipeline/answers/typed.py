"""How people type on a phone, made comparable: case, width, digits of any script, emoji, stray marks, spaces."""

import re
import unicodedata

LONGEST = 1000  # code points

# Letters and a symbol that show nothing: Hangul fillers and the blank Braille cell.
_BLANKS = dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0\u2800"))
# The keycap's frame and the emoji selectors: `3️⃣` is a 3. The keycap ten is a character of its own.
_KEYCAPS = {0x20E3: None, 0xFE0E: None, 0xFE0F: None, ord("🔟"): "10"}
_SKIN_TONES = dict.fromkeys(range(0x1F3FB, 0x1F400))
# A joiner shapes the letters on both of its sides in the scripts of India and means nothing elsewhere.
_JOINER_IN_WORD = re.compile("(?<=[\u0900-\u0dff])[\u200c\u200d](?=[\u0900-\u0dff])")
_DRAWN_OUT = re.compile(r"([^\W\d])\1{2,}")
_CHOICE = re.compile(
    r"(?:(?:no|num|number|opt|option|sector|choice|sr no|नं|नंबर|नम्बर)[. ]*)?#? ?(\d{1,2})(?:st|nd|rd|th| no| number)?"
)


def visible(text: str) -> str:
    """`text` in one line, without control, zero-width and direction characters, surrogates and invisible letters."""
    line = " ".join(text.split())
    joiners = {match.start() for match in _JOINER_IN_WORD.finditer(line)}
    kept = (
        letter
        for place, letter in enumerate(line)
        if place in joiners or unicodedata.category(letter) not in ("Cc", "Cf", "Cs")
    )
    return " ".join("".join(kept).translate(_BLANKS).split())


def too_long(text: str) -> bool:
    """Whether this is more than an answer could be."""
    return len(text) > LONGEST


def is_readable(text: str) -> bool:
    """Whether there is something to read in `text`, and not far too much."""
    return bool(visible(text[: LONGEST + 1])) and not too_long(text)


def ascii_digits(text: str) -> str:
    """`text` with the decimal digits of every script (Devanagari, Tamil, full width, …) written as 0–9."""
    return "".join(str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in text)


def has_letter(text: str) -> bool:
    """Whether there is a letter of any script in `text`."""
    return any(unicodedata.category(letter).startswith("L") for letter in text)


def words(text: str) -> list[str]:
    """The words of `text`, comparable: `Food & Beverage!` gives `food and beverage`."""
    spelled = ascii_digits(_plain(text).replace("&", " and "))
    return "".join(letter if _in_word(letter) else " " for letter in spelled).split()


def folded(text: str) -> str:
    """The whole message, comparable: `  HELP. ` gives `help`, `Hiiii 👋` gives `hi`, `opt-out` gives `opt out`.

    A message of nothing but signs keeps each of them once: `👍🏽👍🏽` gives `👍`.
    """
    plain = ascii_digits(_plain(text))
    spaced = " ".join(plain.replace("-", " ").replace("_", " ").split())
    inside = [place for place, letter in enumerate(spaced) if _in_word(letter)]
    if not inside:
        return "".join(dict.fromkeys(plain.replace(" ", "")))
    return _DRAWN_OUT.sub(r"\1", spaced[inside[0] : inside[-1] + 1])


def word_set(listed: str) -> frozenset[str]:
    """The words and phrases of a comma-separated list, folded for comparison."""
    return frozenset(folded(word) for word in listed.split(","))


def choice(text: str) -> int:
    """The number of a menu's line (`3`, `3.`, `no 3`, `#3`, `option 3`, `3️⃣`, `३`), 0 if it is none."""
    match = _CHOICE.fullmatch(folded(text))
    return int(match[1]) if match else 0


def _plain(text: str) -> str:
    compatible = unicodedata.normalize("NFKC", text.translate(_KEYCAPS)).casefold()
    return visible(compatible.translate(_SKIN_TONES))


def _in_word(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LMN"
