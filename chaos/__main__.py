"""`python -m chaos`: every scenario, or one."""

import shutil
import signal
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import FrameType

import click
from rich.console import Console
from rich.status import Status

from chaos.broadcast import BROADCAST, BroadcastRun, BroadcastScenario
from chaos.broadcast import show as show_broadcast
from chaos.report import show
from chaos.run import Run
from chaos.scenarios import SCENARIOS, Scenario

EVERY = ("kills", "always", "frozen", "outage")
FULL_OUTAGE_SECONDS = 60.0
LINE_EVERY_SECONDS = 15.0

Planned = Scenario | BroadcastScenario


@click.command()
@click.option("--scenario", type=click.Choice([*SCENARIOS, "broadcast"]), help="One of them; by default all but short.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed, the same people and faults.")
@click.option("--people", type=click.IntRange(1, 5000), help="How many people; by default the scenario's own number.")
@click.option("--seconds", type=click.FloatRange(1), help="The time in which they arrive, or the length of the outage.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep logs and data here; else only of a failed run.")
def main(scenario: str | None, seed: int, people: int | None, seconds: float | None, keep: Path | None) -> None:
    """Let people register while everything goes wrong; exits 1 unless each heard exactly what they had to hear."""
    signal.signal(signal.SIGTERM, _leave)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    every = {**SCENARIOS, "broadcast": BROADCAST}
    chosen = {scenario: every[scenario]} if scenario else {**_full(), "broadcast": BROADCAST}
    failed = []
    for name, one in chosen.items():
        folder = keep / name if keep else Path(tempfile.mkdtemp(prefix=f"chaos-{name}-"))
        if not _holds(name, _adapted(one, people, seconds), seed, folder, console):
            failed.append(name)
        elif not keep:
            shutil.rmtree(folder, ignore_errors=True)
    if failed:
        console.print(f"failed: {', '.join(failed)}", style="bold red")
        sys.exit(1)
    console.print("nothing lost, nothing doubled, everything in order", style="bold green")


def _full() -> dict[str, Planned]:
    every: dict[str, Planned] = {name: SCENARIOS[name] for name in EVERY}
    return {**every, "outage": _adapted(every["outage"], None, FULL_OUTAGE_SECONDS)}


def _adapted(scenario: Planned, people: int | None, seconds: float | None) -> Planned:
    adapted = replace(scenario, people=people or scenario.people)
    if seconds is None or isinstance(adapted, BroadcastScenario):
        return adapted
    # In an outage the last to come must have written everything before it ends.
    return (
        replace(adapted, outage=seconds, arrivals=0.6 * seconds)
        if adapted.outage
        else replace(adapted, arrivals=seconds)
    )


def _holds(name: str, scenario: Planned, seed: int, folder: Path, console: Console) -> bool:
    """Run it and show it."""
    with console.status("") as status:
        progress = _Progress(name, console, status)
        if isinstance(scenario, BroadcastScenario):
            sent = BroadcastRun(scenario, seed, folder, progress).run()
            show_broadcast(sent, console)
            return not sent.failed
        outcome = Run(scenario, seed, folder, progress).run()
    show(outcome, console)
    return not outcome.failed


class _Progress:
    """A progress line on a terminal; elsewhere an ordinary line now and then."""

    def __init__(self, name: str, console: Console, status: Status) -> None:
        self._name = name
        self._console = console
        self._status = status
        self._last = -LINE_EVERY_SECONDS

    def __call__(self, words: str) -> None:
        self._status.update(f"{self._name}: {words}")
        if not self._console.is_terminal and time.monotonic() - self._last >= LINE_EVERY_SECONDS:
            self._last = time.monotonic()
            self._console.print(f"{self._name}: {words}", markup=False)


def _leave(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
