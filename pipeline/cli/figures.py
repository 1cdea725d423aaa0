"""How it goes: the figures, the funnel, the queue."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

import click
from rich.bar import Bar
from rich.console import Console
from rich.table import Table

from pipeline import stats as figures
from pipeline.cli.output import as_json, runtime, show
from pipeline.health import LATE_SECONDS
from pipeline.store.pulse import Pulse

_BAR_WIDTH = 30


@click.command()
@as_json
def stats(as_json: bool) -> None:
    """Registrations, the funnel, messages: today and in seven days.

    Example: python -m pipeline stats
    """
    bot = runtime()
    found = figures.read(bot.tallies, bot.broadcasts, datetime.now(UTC))
    if as_json:
        click.echo(json.dumps(found.to_json(), ensure_ascii=False))
        return
    click.echo(f"{found.total_sessions} live sessions; {found.completion_rate:.0%} of those begun end registered.\n")
    show([asdict(day) for day in found.last_7_days], False, "")
    _draw(found)
    show([{"rate": name, "share": f"{share:.1%}"} for name, share in found.error_rates.items()], False, "")


def _draw(found: figures.Stats) -> None:
    table = Table("step", "reached", "", "answered", "median", "not understood", box=None, title="Funnel, seven days")
    most = max((step.reached for step in found.funnel), default=0) or 1
    for step in found.funnel:
        median = f"{step.median_seconds:g} s" if step.median_seconds is not None else "-"
        bar = Bar(most, 0, step.reached, width=_BAR_WIDTH)
        table.add_row(step.step, str(step.reached), bar, str(step.answered), median, f"{step.invalid_rate:.0%}")
    Console().print(table)


@click.command()
@as_json
def queue(as_json: bool) -> None:
    """What waits, and who works on it. Exit code 1 when nobody does or somebody waits for over a minute.

    Example: python -m pipeline queue
    """
    pulse: Pulse = runtime().pulses.now()
    show([asdict(pulse)], as_json, "")
    if not pulse.workers or pulse.oldest_seconds > LATE_SECONDS:
        raise SystemExit(1)
