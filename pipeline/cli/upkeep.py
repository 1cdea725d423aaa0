"""The clock, the catch-up, the audit list."""

import sys
from datetime import UTC, datetime

import click

from pipeline.cli.output import as_json, runtime, show


@click.command()
def clock() -> None:
    """Run the clock: schedules, the safety net of the sweep, catch-up, upkeep. Runs until it is stopped."""
    from pipeline.clock import run

    run()


@click.command("catch-up")
@click.option("--since", type=click.DateTime(), help="In UTC; by default since the last time; 6 days ago at most.")
def catch_up(since: datetime | None) -> None:
    """Take in messages that Twilio could not bring us, from its own list.

    Example: python -m pipeline catch-up --since "2026-01-31 22:00:00"
    """
    from pipeline.catch_up import catch_up as run

    missed = run(runtime(), since.replace(tzinfo=UTC) if since else None)
    if missed is None:
        click.echo("Twilio's list cannot be read right now; nothing was changed. Try again in a minute.", err=True)
        sys.exit(1)
    click.echo(f"{missed} messages had not reached us and are being answered now.")


@click.command()
@click.option("--most", default=50, show_default=True, help="How many lines.")
@as_json
def audit(most: int, as_json: bool) -> None:
    """Who did what, newest first.

    Example: python -m pipeline audit --most 20
    """
    rows = [
        {"when": deed.at, "who": deed.who, "what": deed.what, "about": deed.about}
        for deed in runtime().audit.newest(most)
    ]
    show(rows, as_json, "Nothing was done by hand yet.")
