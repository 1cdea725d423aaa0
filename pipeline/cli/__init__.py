"""The command line: `python -m pipeline --help`. One module a subject; what they do is done elsewhere."""

import sys

import click
from redis.exceptions import RedisError

from pipeline.cli import broadcast, contact, doctor, failed, figures, keys, upkeep
from pipeline.errors import PipelineError


@click.group()
def commands() -> None:
    """MSMEBazaar's WhatsApp bot: what operators and admins do, and the clock."""


for command in (
    broadcast.broadcast,
    keys.keys,
    failed.failed,
    contact.contact,
    doctor.doctor,
    figures.stats,
    figures.queue,
    upkeep.catch_up,
    upkeep.audit,
    upkeep.clock,
):
    commands.add_command(command)


def main() -> None:
    """Runs the command line; what we know to be wrong is said in words, not in a traceback. Exit code 1 then."""
    try:
        commands(prog_name="python -m pipeline")
    except PipelineError as error:
        click.echo(str(error), err=True)
    except RedisError as error:
        click.echo(f"Redis at REDIS_URL cannot be used: {type(error).__name__}. Is it running?", err=True)
    else:
        return
    sys.exit(1)
