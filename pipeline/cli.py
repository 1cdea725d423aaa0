"""The command line: `python -m pipeline --help`."""

import base64
import secrets
import sys

import click

from pipeline.errors import PipelineError


@click.group()
def commands() -> None:
    """MSMEBazaar's WhatsApp bot: keys, the clock, and what operators and admins need."""


@commands.group()
def keys() -> None:
    """The keys that seal what is stored."""


@keys.command("new")
def keys_new() -> None:
    """Print fresh values for SEAL_KEYS and CONTACT_SECRET.

    Example: python -m pipeline keys new >> .env
    """
    click.echo(f"SEAL_KEYS={base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}")
    click.echo(f"CONTACT_SECRET={secrets.token_urlsafe(36)}")


@commands.command()
def clock() -> None:
    """Run the clock: schedules, the safety net of the sweep, catch-up."""
    from pipeline.clock import run

    run()


def main() -> None:
    """Runs the command line; what we know to be wrong is said in words, not in a traceback."""
    try:
        commands(prog_name="python -m pipeline")
    except PipelineError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
