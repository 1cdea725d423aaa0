"""The table on the screen, and benchmarks/results.md."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from redis import __version__ as redis_version
from rq import VERSION as RQ_VERSION

from benchmarks.results import Result

_NOTES = Path(__file__).parent / "tried.md"


def table(results: Sequence[Result]) -> str:
    """Aligned columns, in Markdown."""
    rows = [("benchmark", "measured", "value", "aim", "")]
    rows += [(result.benchmark, result.what, result.value, result.aim, result.verdict) for result in results]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def write(file: Path, results: Sequence[Result], command: str, began: datetime, load: Sequence[float]) -> None:
    """What was measured, on what, by which command; and, from tried.md, what was tried."""
    parts = [
        "# Measured",
        "Every ratio is measured side by side in one run, and is the median of alternating rounds. Absolute numbers "
        "belong to this machine, which does everything at once: product, Redis, simulated neighbours and load.",
        f"- when: {began:%Y-%m-%d %H:%M} UTC\n- commit: {_commit()}\n- command: `{command}`\n- machine: {_machine()}\n"
        f"- load average before: {load[0]:.1f} (1 min), {load[1]:.1f} (5 min)",
        table(results),
        _NOTES.read_text().strip(),
    ]
    file.write_text("\n\n".join(parts) + "\n")


def _machine() -> str:
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    cores = len(os.sched_getaffinity(0))
    python = f"Python {platform.python_version()}, RQ {RQ_VERSION}, redis-py {redis_version}"
    return f"{cores} cores of {cpu}, Linux {platform.release()}, {python}"


def _commit() -> str:
    try:
        commit = subprocess.run(("git", "rev-parse", "--short", "HEAD"), capture_output=True, text=True, check=True)
        changed = subprocess.run(("git", "status", "--porcelain", "-uno"), capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    others = [line for line in changed.stdout.splitlines() if not line.endswith("benchmarks/results.md")]
    return commit.stdout.strip() + (" with changes" if others else "")
