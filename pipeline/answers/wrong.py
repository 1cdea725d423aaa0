"""What can be wrong with an answer."""

from dataclasses import dataclass
from typing import Literal

Why = Literal[
    "name_short",
    "name_long",
    "name_letters",
    "name_link",
    "name_word",
    "pincode_missing",
    "pincode_short",
    "pincode_long",
    "pincode_zero",
    "pincode_several",
    "phone_missing",
    "phone_short",
    "phone_long",
    "phone_several",
    "phone_start",
    "phone_landline",
    "phone_foreign",
    "phone_no_own",
]


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why an answer cannot be taken. `seen` is the number that explains it: how many digits, or the first digit."""

    why: Why
    seen: int = 0
