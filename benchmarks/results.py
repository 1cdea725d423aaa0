"""What a benchmark tells: one line of the table each, with its aim; and how long it may take."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

__all__ = ["Result", "Scale", "at_least", "at_most", "median", "percentile", "told"]


@dataclass(frozen=True, slots=True)
class Result:
    """One measured value. `is_met` is None where there is no aim."""

    benchmark: str
    what: str
    value: str
    aim: str = ""
    is_met: bool | None = None

    @property
    def verdict(self) -> str:
        """One word for the table."""
        return "" if self.is_met is None else "met" if self.is_met else "missed"


@dataclass(frozen=True, slots=True)
class Scale:
    """How long and how often: `--quick` divides all durations by three and takes fewer rounds."""

    is_quick: bool = False

    @property
    def rounds(self) -> int:
        """Alternating rounds of which the median is taken."""
        return 1 if self.is_quick else 3

    def seconds(self, usual: float) -> float:
        """How long a load of usually so many seconds is put on."""
        return usual / 3 if self.is_quick else usual

    def count(self, usual: int) -> int:
        """How many, of usually so many."""
        return usual // 3 if self.is_quick else usual


def at_least(benchmark: str, what: str, value: float, aim: float, unit: str = "") -> Result:
    """A value that should not be smaller than its aim."""
    return Result(benchmark, what, _shown(value, unit), f"≥ {_shown(aim, unit)}", value >= aim)


def at_most(benchmark: str, what: str, value: float, aim: float, unit: str = "") -> Result:
    """A value that should not be larger than its aim."""
    return Result(benchmark, what, _shown(value, unit), f"≤ {_shown(aim, unit)}", value <= aim)


def told(benchmark: str, what: str, value: float, unit: str = "") -> Result:
    """A value without an aim."""
    return Result(benchmark, what, _shown(value, unit))


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so large a share of all does not pass; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _shown(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2f}"
    return f"{number} {unit}".rstrip()
