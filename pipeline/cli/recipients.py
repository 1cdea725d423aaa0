"""Every recipient of a broadcast, for a spreadsheet or a script."""

import csv
import json
import sys

import click

from pipeline import care
from pipeline.broadcast import Recipient
from pipeline.runtime import Runtime
from pipeline.twilio_api.codes import ADVICE, decision_of

_COLUMNS = ("contact", "status", "code", "meaning", "at")


def write(house: Runtime, id_: str, reveal: bool, json_wanted: bool) -> None:
    """Writes the rows of the broadcast `id_` to stdout: CSV with a header, or a line of JSON each. `code` is an error
    code or the reason of a skip, `at` when the status was reached; `address` stands there only to `reveal`."""
    table = csv.DictWriter(sys.stdout, (*_COLUMNS, "address") if reveal else _COLUMNS)
    if not json_wanted:
        table.writeheader()
    for recipient in house.broadcasts.recipients(id_):
        row = _row(recipient) | ({"address": _address(house, recipient.contact)} if reveal else {})
        if json_wanted:
            click.echo(json.dumps(row, ensure_ascii=False))
        else:
            table.writerow(row)


def _row(recipient: Recipient) -> dict[str, str]:
    decision = decision_of(int(recipient.detail)) if recipient.detail.isdigit() else None
    meaning = ADVICE[decision] if decision else ""
    at = recipient.at.isoformat()
    return dict(zip(_COLUMNS, (recipient.contact, recipient.state, recipient.detail, meaning, at), strict=True))


def _address(house: Runtime, contact: str) -> str:
    """Empty for whoever is not known any more, or is held by a worker all the time."""
    try:
        return care.look(house, contact)[1].contact.address
    except (care.StrangerError, care.BusyError):
        return ""
