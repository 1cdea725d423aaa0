"""Broadcasts from the command line."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone

import click

from pipeline import broadcasts
from pipeline.broadcast import Broadcast
from pipeline.broadcasts import Preview
from pipeline.cli import recipients
from pipeline.cli.output import as_json, runtime, show, who
from pipeline.cli.watching import watch as follow
from pipeline.draft import DraftError, draft
from pipeline.endpoints.broadcasts import shown, shown_preview
from pipeline.runtime import Runtime
from pipeline.session import STEPS
from pipeline.store.broadcasts import Wish

_INDIA = timezone(timedelta(hours=5, minutes=30))
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
    wished = draft(fields, datetime.now(UTC), key)
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
        follow(house, made.id, as_json)


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
@as_json
def watch(id_: str, as_json: bool) -> None:
    """Follow one until it is over; plain lines when this is no terminal, and until it is paused.

    Example: python -m pipeline broadcast watch b0123456789ab
    """
    house = runtime()
    _find(house, id_)
    follow(house, id_, as_json)


@broadcast.command()
@_ID
@as_json
def pause(id_: str, as_json: bool) -> None:
    """Hold it: within two seconds nothing more is handed to Twilio.

    Example: python -m pipeline broadcast pause b0123456789ab
    """
    _control(id_, "pause", as_json)


@broadcast.command()
@_ID
@as_json
def resume(id_: str, as_json: bool) -> None:
    """Go on where it was.

    Example: python -m pipeline broadcast resume b0123456789ab
    """
    _control(id_, "resume", as_json)


@broadcast.command()
@_ID
@click.option("--yes", is_flag=True, help="Don't ask.")
@as_json
def cancel(id_: str, yes: bool, as_json: bool) -> None:
    """End it: whoever has not got it will not get it.

    Example: python -m pipeline broadcast cancel b0123456789ab
    """
    if not yes:
        click.confirm("End this broadcast for good?", abort=True, err=as_json)
    _control(id_, "cancel", as_json)


@broadcast.command("retry-failed")
@_ID
@as_json
def retry_failed(id_: str, as_json: bool) -> None:
    """Once more to whoever it failed for with a passing reason.

    Example: python -m pipeline broadcast retry-failed b0123456789ab
    """
    house = runtime()
    _find(house, id_)
    retried = broadcasts.retry_failed(house, id_, who())
    if as_json:
        click.echo(json.dumps({"broadcast_id": id_, "retried": retried}))
    else:
        click.echo(f"{retried} recipients are tried again.")


@broadcast.command()
@_ID
@click.option("--reveal", is_flag=True, help="With addresses; this is audited.")
@as_json
def export(id_: str, reveal: bool, as_json: bool) -> None:
    """Every recipient as CSV: contact key, status, code or reason, its meaning, time; with --json a line each.

    Example: python -m pipeline broadcast export b0123456789ab > report.csv
    """
    house = runtime()
    _find(house, id_)
    if reveal:
        house.audit.note(who(), "reveal broadcast", id_)
    recipients.write(house, id_, reveal, as_json)


def _control(id_: str, wish: Wish, json_wanted: bool) -> None:
    state = broadcasts.control(runtime(), id_, wish, who())
    if state == "unknown":
        raise click.ClickException(f"There is no broadcast {id_}; see: python -m pipeline broadcast list")
    click.echo(json.dumps({"broadcast_id": id_, "status": state}) if json_wanted else f"{id_}: {state}")


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
        moment = datetime.strptime(india[1], "%Y-%m-%d %H:%M").replace(tzinfo=_INDIA)
    except ValueError:
        raise DraftError({"at": "must look like '2026-12-01 10:00 IST'"}) from None
    return moment.isoformat()


def _show_preview(preview: Preview, json_wanted: bool) -> None:
    if json_wanted:
        click.echo(json.dumps(shown_preview(preview)))
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
