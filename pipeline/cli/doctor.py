"""What is wrong, and what to do about it."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict

import click
from rich.console import Console
from rich.text import Text

from pipeline import logs
from pipeline.cli.output import as_json
from pipeline.doctor import Check, examine
from pipeline.settings import load


@click.command()
@click.option("--settings-only", is_flag=True, help="Look at the settings only, as a release command does.")
@as_json
def doctor(settings_only: bool, as_json: bool) -> None:
    """Check settings, Redis, keys, Twilio, webhook, Auth API, workers, clock. Exit code 1 when anything is wrong.

    Example: python -m pipeline doctor
    """
    settings = load()
    logs.configure("ERROR")
    checks = [Check("settings", True, "complete")] if settings_only else examine(settings)
    found = _show(checks, as_json)
    if not all(check.is_well for check in found):
        sys.exit(1)


def _show(checks: Iterable[Check], as_json: bool) -> list[Check]:
    """Each as soon as it is known, for a check may take seconds."""
    found, console = [], Console(soft_wrap=True, highlight=False)
    for check in checks:
        found.append(check)
        if not as_json:
            mark = ("✓", "green") if check.is_well else ("✗", "bold red")
            console.print(Text.assemble(mark, f" {check.name:<18} {check.words}"))
    if as_json:
        click.echo(json.dumps([asdict(check) for check in found], ensure_ascii=False))
    return found
