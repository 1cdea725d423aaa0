"""How commands answer: tables for people, JSON for machines; and what every command needs."""

import getpass
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from pipeline import logs
from pipeline.runtime import Runtime
from pipeline.settings import load

_WIDTH_OF_A_FILE = 200

as_json = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for machines.")


def runtime() -> Runtime:
    """What a command works with, wired from the settings. Raises SettingsError, WrongKeysError or RedisError."""
    settings = load()
    logs.configure("ERROR")
    return Runtime.start(settings)


def who() -> str:
    """Whoever runs the command, for the audit list."""
    return f"cli:{getpass.getuser()}"


def show(rows: Sequence[Mapping[str, Any]], json_wanted: bool, nothing: str) -> None:
    """Rows of the same columns, as a table or as JSON; `nothing` is said instead of an empty table."""
    if json_wanted:
        click.echo(json.dumps(list(rows), default=_plain, ensure_ascii=False))
        return
    if not rows:
        click.echo(nothing)
        return
    table = Table(box=box.SIMPLE_HEAD)
    for number, column in enumerate(rows[0]):
        # The first names the row: it is what other commands are given.
        table.add_column(column, overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*(str(_plain(value)) for value in row.values()))
    Console(soft_wrap=True, width=None if sys.stdout.isatty() else _WIDTH_OF_A_FILE).print(table)


def _plain(value: Any) -> Any:
    return value.strftime("%Y-%m-%d %H:%M:%S UTC") if isinstance(value, datetime) else value
