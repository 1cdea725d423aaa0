"""The keys that seal what is stored."""

import base64
import secrets

import click

from pipeline.cli.output import runtime, who
from pipeline.rotation import rotate as rotate_keys


@click.group()
def keys() -> None:
    """The keys that seal what is stored: new, rotate."""


@keys.command()
def new() -> None:
    """Print fresh values for SEAL_KEYS and CONTACT_SECRET.

    Example: python -m pipeline keys new >> .env
    """
    click.echo(f"SEAL_KEYS={base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}")
    click.echo(f"CONTACT_SECRET={secrets.token_urlsafe(36)}")


@keys.command()
def rotate() -> None:
    """Seal everything anew with the first of SEAL_KEYS, while the service runs; afterwards the others can go.

    Put the new key in front of the old ones, restart web, worker and clock, then run this. It can be run again at any
    time and goes on where it was.

    Example: python -m pipeline keys rotate
    """
    house = runtime()
    people = rotate_keys(house)
    house.audit.note(who(), "rotate keys")
    click.echo(f"Sealed with key {house.seal.current_key_id}: {people} people. Older keys can be removed now.")
