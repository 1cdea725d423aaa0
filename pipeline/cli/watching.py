"""Following a broadcast: a progress bar on a terminal, plain lines elsewhere, JSON for machines."""

import json
import sys
import time
from datetime import datetime

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline.broadcast import Broadcast
from pipeline.endpoints.broadcasts import shown
from pipeline.runtime import Stores

_OVER = ("done", "cancelled")
_LINE_SECONDS = 1.0
_BAR_SECONDS = 0.5


def watch(stores: Stores, id_: str, json_wanted: bool) -> None:
    """Follows the broadcast `id_`, which there is, until it is over; lines end at a pause too, for scripts to go on."""
    if sys.stdout.isatty() and not json_wanted:
        _show_bar(stores, id_)
        return
    last = ""
    while True:
        now = _now(stores, id_)
        line = json.dumps(shown(now), ensure_ascii=False) if json_wanted else f"{now.id} {now.state}: {_counts(now)}"
        if line != last:
            click.echo(line)
        last = line
        if now.state in (*_OVER, "paused"):
            return
        time.sleep(_LINE_SECONDS)


def _show_bar(stores: Stores, id_: str) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task(id_, total=None)
        while True:
            now = _now(stores, id_)
            served, words = now.total - now.open, f"{now.state} {_counts(now)}"
            progress.update(task, total=max(now.total, 1), completed=served, description=words)
            if now.state in _OVER:
                return
            time.sleep(_BAR_SECONDS)


def _now(stores: Stores, id_: str) -> Broadcast:
    found = stores.broadcasts.find(id_)
    assert found is not None
    return found


def _counts(now: Broadcast) -> str:
    until = now.finished_at or datetime.now(now.created_at.tzinfo)
    seconds = (until - now.started_at).total_seconds() if now.started_at else 0.0
    rate = now.sent / seconds if seconds > 0 else 0.0
    left = f", {now.open / rate:.0f} s left" if rate and now.open else ""
    return (
        f"{now.sent} sent, {now.delivered} delivered, {now.read} read, {now.failed} failed, {now.skipped} skipped, "
        f"{now.open} waiting ({rate:.0f}/s{left})"
    )
