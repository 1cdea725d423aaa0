"""The failed list: what went wrong for good, and what to do about it."""

import sys

import click

from pipeline import care
from pipeline.cli.output import as_json, runtime, show, who
from pipeline.store.failures import Failure
from pipeline.twilio_api.codes import advice

_SAYINGS = {
    "ok": "It is on its way again.",
    "gone": "There is no such failure; see: python -m pipeline failed list",
    "textless": "Its text was not kept, so it cannot be sent again.",
    "stale": "The person has written since, so it would answer the wrong question. Drop it.",
}


@click.group()
def failed() -> None:
    """Messages that went wrong for good: list, show, retry, drop."""


@failed.command("list")
@as_json
def list_(as_json: bool) -> None:
    """What stands on the failed list, newest first.

    Example: python -m pipeline failed list
    """
    show([_row(failure) for failure in runtime().failures.newest()], as_json, "Nothing has failed.")


@failed.command("show")
@click.argument("id_", metavar="ID")
@click.option("--reveal", is_flag=True, help="Show the text as well; this is audited.")
@as_json
def show_(id_: str, reveal: bool, as_json: bool) -> None:
    """One failure and what to do about it.

    Example: python -m pipeline failed show SM0123… --reveal
    """
    house = runtime()
    failure = house.failures.find(id_)
    if failure is None:
        click.echo(_SAYINGS["gone"], err=True)
        sys.exit(1)
    row = _row(failure)
    row["advice"] = advice(failure.code)
    if reveal:
        house.audit.note(who(), "reveal", failure.contact)
        row["text"] = house.failures.text(failure)
    show([row], as_json, "")


@failed.command()
@click.argument("id_", metavar="ID")
def retry(id_: str) -> None:
    """Try it once more.

    Example: python -m pipeline failed retry SM0123…
    """
    outcome = care.retry_failure(runtime(), id_, who())
    click.echo(_SAYINGS[outcome], err=outcome != "ok")
    sys.exit(outcome != "ok")


@failed.command()
@click.argument("id_", metavar="ID")
def drop(id_: str) -> None:
    """Take it off the list for good.

    Example: python -m pipeline failed drop SM0123…
    """
    if not care.drop_failure(runtime(), id_, who()):
        click.echo(_SAYINGS["gone"], err=True)
        sys.exit(1)
    click.echo("It is off the list.")


def _row(failure: Failure) -> dict[str, object]:
    return {
        "id": failure.id,
        "when": failure.at,
        "kind": failure.kind,
        "reason": failure.reason,
        "code": failure.code or "",
        "contact": failure.contact,
    }
