"""Broadcasts from the command line."""

import csv
import json
import re
import sys
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline import broadcasts, care
from pipeline.broadcast import Broadcast
from pipeline.broadcasts import Preview
from pipeline.cli.output import as_json, runtime, show, who
from pipeline.draft import DraftError, draft
from pipeline.endpoints.broadcasts import shown
from pipeline.runtime import Runtime
from pipeline.session import STEPS
from pipeline.store.broadcasts import Wish

_INDIA = timezone(timedelta(hours=5, minutes=30))
_OVER = ("done", "cancelled")
_ID = click.argument("id_", metavar="ID")


@click.group()
def broadcast() -> None:
    """Messages to many: send, list, show, watch, pause, resume, cancel, retry-failed, export."""


@broadcast.command()
@click.argument("text", default="")
@click.option("--target-step", type=click.Choice(STEPS), help="Only people whose last step is this one.")
@click.option("--content-sid", default="", help="An approved template (HX…) instead of a text.")
@click.option("--variables", default="", help='The template\'s variables, as JSON: {"1": "Asha"}')
@click.option("--at", default="", help="When: '2026-12-01 10:00 IST', or ISO with an offset. By default now.")
@click.option("--name", default="", help="What you call it.")
@click.option("--key", default="", help="The same key makes it once, however often it is sent.")
@click.option("--dry-run", is_flag=True, help="Only show what would happen.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--watch", "is_watched", is_flag=True, help="Stay and show the progress.")
@as_json
def send(
    text: str,
    target_step: str | None,
    content_sid: str,
    variables: str,
    at: str,
    name: str,
    key: str,
    dry_run: bool,
    yes: bool,
    is_watched: bool,
    as_json: bool,
) -> None:
    """Send a text to everybody who wrote within 24 hours, or an approved template to all. Shows what will happen and
    asks before it does. {name} and {sector} in the text are filled in for each person.

    Example: python -m pipeline broadcast send "Namaste {name}! Finish your registration: send HI" --target-step pincode
    """
    house = runtime()
    fields = {
        "message": text,
        "target_step": target_step,
        "content_sid": content_sid,
        "content_variables": variables,
        "send_at": _moment(at),
        "name": name,
    }
    wished = draft(fields, key)
    preview = broadcasts.preview(house, wished)
    _show_preview(preview, as_json and dry_run)
    if dry_run:
        return
    if not yes:
        click.confirm(f"Send it to {preview.recipients} people?", abort=True, err=as_json)
    made, is_new = broadcasts.create(house, wished, who())
    if as_json:
        click.echo(json.dumps(shown(made) | {"created": is_new}, ensure_ascii=False))
    else:
        click.echo(f"{made.id}: {made.state}" + ("" if is_new else " (it had been made before)"))
    if is_watched:
        _watch(house, made.id)


@broadcast.command("list")
@as_json
def list_(as_json: bool) -> None:
    """The newest fifty.

    Example: python -m pipeline broadcast list
    """
    rows = [shown(one) for one in runtime().broadcasts.newest()]
    columns = (
        "broadcast_id",
        "status",
        "name",
        "recipients",
        "queued",
        "sent",
        "delivered",
        "read",
        "failed",
        "skipped",
    )
    show(rows if as_json else [{name: row[name] for name in columns} for row in rows], as_json, "None was made yet.")


@broadcast.command("show")
@_ID
@as_json
def show_(id_: str, as_json: bool) -> None:
    """One and how it stands.

    Example: python -m pipeline broadcast show b0123456789ab
    """
    row = shown(_find(runtime(), id_))
    show([row] if as_json else [{"field": name, "value": value} for name, value in row.items()], as_json, "")


@broadcast.command()
@_ID
def watch(id_: str) -> None:
    """Follow one until it is over; plain lines when this is no terminal.

    Example: python -m pipeline broadcast watch b0123456789ab
    """
    house = runtime()
    _find(house, id_)
    _watch(house, id_)


@broadcast.command()
@_ID
def pause(id_: str) -> None:
    """Hold it: within two seconds nothing more is handed to Twilio.

    Example: python -m pipeline broadcast pause b0123456789ab
    """
    _control(id_, "pause")


@broadcast.command()
@_ID
def resume(id_: str) -> None:
    """Go on where it was.

    Example: python -m pipeline broadcast resume b0123456789ab
    """
    _control(id_, "resume")


@broadcast.command()
@_ID
@click.option("--yes", is_flag=True, help="Don't ask.")
def cancel(id_: str, yes: bool) -> None:
    """End it: whoever has not got it will not get it.

    Example: python -m pipeline broadcast cancel b0123456789ab
    """
    if not yes:
        click.confirm("End this broadcast for good?", abort=True)
    _control(id_, "cancel")


@broadcast.command("retry-failed")
@_ID
def retry_failed(id_: str) -> None:
    """Once more to whoever it failed for with a passing reason.

    Example: python -m pipeline broadcast retry-failed b0123456789ab
    """
    house = runtime()
    _find(house, id_)
    click.echo(f"{broadcasts.retry_failed(house, id_, who())} recipients are tried again.")


@broadcast.command()
@_ID
@click.option("--reveal", is_flag=True, help="With addresses; this is audited.")
def export(id_: str, reveal: bool) -> None:
    """Every recipient as CSV: contact key, status, code or reason, time.

    Example: python -m pipeline broadcast export b0123456789ab > report.csv
    """
    house = runtime()
    _find(house, id_)
    if reveal:
        house.audit.note(who(), "reveal broadcast", id_)
    table = csv.writer(sys.stdout)
    table.writerow(["contact", "status", "code", "at", *(["address"] if reveal else [])])
    for recipient in house.broadcasts.recipients(id_):
        row = [recipient.contact, recipient.state, recipient.detail, recipient.at.isoformat()]
        if reveal:
            row.append(care.look(house, recipient.contact)[1].contact.address)
        table.writerow(row)


def _control(id_: str, wish: Wish) -> None:
    state = broadcasts.control(runtime(), id_, wish, who())
    if state == "unknown":
        raise click.ClickException(f"There is no broadcast {id_}; see: python -m pipeline broadcast list")
    click.echo(f"{id_}: {state}")


def _find(house: Runtime, id_: str) -> Broadcast:
    found = house.broadcasts.find(id_)
    if found is None:
        raise click.ClickException(f"There is no broadcast {id_}; see: python -m pipeline broadcast list")
    return found


def _moment(at: str) -> str:
    """`--at` as ISO with an offset; IST is what people in India write."""
    india = re.fullmatch(r"(.+?)\s*IST", at.strip(), re.IGNORECASE)
    if not india:
        return at
    try:
        return datetime.fromisoformat(india[1]).replace(tzinfo=_INDIA).isoformat()
    except ValueError:
        raise DraftError({"at": "must look like '2026-12-01 10:00 IST'"}) from None


def _show_preview(preview: Preview, json_wanted: bool) -> None:
    row: dict[str, Any] = {
        "recipients": preview.recipients,
        "in_window": preview.in_window,
        "outside_window": preview.outside_window,
        "opted_out": preview.opted_out,
        "seconds": preview.seconds,
        "length": preview.length,
        "messages": preview.messages,
        "warning": preview.warning,
    }
    if json_wanted:
        steps = {
            step: {"in_window": r.in_window, "outside_window": r.outside_window} for step, r in preview.reach.items()
        }
        click.echo(json.dumps(row | {"steps": steps}))
        return
    for step, reach in preview.reach.items():
        click.echo(f"  {step:<13}{reach.in_window:>8} in window{reach.outside_window:>8} outside", err=True)
    click.echo(
        f"{preview.recipients} people will get it in about {preview.seconds:g} s; {preview.outside_window} are outside "
        f"their 24-hour window (a template reaches them), {preview.opted_out} have opted out. "
        f"{preview.length} characters, {preview.messages} messages.",
        err=True,
    )
    if preview.warning:
        click.echo(f"Warning: {preview.warning}", err=True)


def _watch(house: Runtime, id_: str) -> None:
    if sys.stdout.isatty():
        _watch_bar(house, id_)
        return
    while True:
        now = _find(house, id_)
        click.echo(f"{now.id} {now.state}: {_counts(now)}")
        if now.state in _OVER or now.state == "paused":
            return
        time.sleep(1)


def _watch_bar(house: Runtime, id_: str) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task(id_, total=None)
        while True:
            now = _find(house, id_)
            progress.update(
                task, total=max(now.total, 1), completed=now.total - now.open, description=f"{now.state} {_counts(now)}"
            )
            if now.state in _OVER:
                return
            time.sleep(0.5)


def _counts(now: Broadcast) -> str:
    seconds = (datetime.now(now.created_at.tzinfo) - now.started_at).total_seconds() if now.started_at else 0.0
    rate = now.sent / seconds if seconds and not now.finished_at else 0.0
    left = f", {now.open / rate:.0f} s left" if rate and now.open else ""
    return (
        f"{now.sent} sent, {now.delivered} delivered, {now.read} read, {now.failed} failed, {now.skipped} skipped, "
        f"{now.open} waiting ({rate:.0f}/s{left})"
    )
