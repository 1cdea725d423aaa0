"""What processes use, as Linux counts it."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds so far (user and system) of a process with its children, and the largest one's resident bytes."""

    cpu: float
    resident: int


def usage_of(pid: int) -> Usage:
    """Of a process and all its descendants that live."""
    family = _family(pid)
    return Usage(sum(_cpu(member) for member in family), max(_resident(member) for member in family))


def _family(pid: int) -> list[int]:
    family = [pid]
    for member in family:
        for task in Path(f"/proc/{member}/task").glob("*/children"):
            family.extend(int(child) for child in task.read_text().split())
    return family


def _cpu(pid: int) -> float:
    # The name, second, may hold spaces: count from behind its bracket. utime and stime are fields 14 and 15.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
