"""All benchmarks, or those that are named, side by side on this machine.

python -m benchmarks [NAME …] [--quick]
"""

import os
import time
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import click

from benchmarks.report import table, write
from benchmarks.results import Result, Scale

BENCHMARKS = ("receive", "receive-peer", "answer", "saturate", "queue", "broadcast", "recover", "memory", "start")
_RESULTS = Path(__file__).parent / "results.md"


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(BENCHMARKS))
@click.option("--quick", is_flag=True, help="A third of the time, one round: a look, not a measurement.")
@click.option("--no-file", is_flag=True, help="Print only; leave results.md alone.")
def main(names: tuple[str, ...], quick: bool, no_file: bool) -> None:
    """Prints one table and writes benchmarks/results.md."""
    results: list[Result] = []
    command = " ".join(["python -m benchmarks", *names, *(["--quick"] if quick else [])])
    scale, load_before, began = Scale(quick), os.getloadavg(), datetime.now(UTC)
    for name in names or BENCHMARKS:
        started = time.monotonic()
        found = import_module(f"benchmarks.{name.replace('-', '_')}").run(scale)
        results += found
        click.echo(f"{name} took {time.monotonic() - started:.0f} s", err=True)
        click.echo(table(found))
        if not no_file:
            write(_RESULTS, results, command, began, load_before)
    if not no_file:
        click.echo(
            f"\nWritten to {_RESULTS.relative_to(Path.cwd()) if _RESULTS.is_relative_to(Path.cwd()) else _RESULTS}"
        )


if __name__ == "__main__":
    main()
