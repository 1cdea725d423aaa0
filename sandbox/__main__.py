"""`python -m sandbox`: the whole service on this machine, and a phone in the terminal to talk to it."""

import contextlib
import io
import random
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

import click
from rich.console import Console

from sandbox.children import FolderTaken, PortTaken, die_with_parent
from sandbox.environment import Ports, run_by_make
from sandbox.laptop import Laptop
from sandbox.person import NoReply
from sandbox.phone import Phone
from sandbox.services import PROJECT, NotHealthy
from sandbox.valkey import ValkeyNotStarted

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED = 130

HEADER = """\
MSMEBazaar WhatsApp bot, at {url}
  Valkey        {valkey}
  Twilio        {twilio}  (simulated)
  Auth API      {auth}  (simulated)
  data and logs {folder}
You write as {address}. Come back as the same person: --from {address}
{leave}"""


@dataclass(frozen=True)
class Wishes:
    """What the command line asks for."""

    address: str
    folder: Path
    project: Path
    patience: float


@click.command()
@click.option("--from", "address", metavar="whatsapp:+91…", help="Write as this person; by default somebody new.")
@click.option("--folder", type=click.Path(path_type=Path), help="For data, logs and keys; by default .run.")
@click.option("--project", type=click.Path(path_type=Path), default=PROJECT, help="Where the product's code is.")
@click.option("--patience", type=float, default=20.0, help="How many seconds to wait for a reply to piped text.")
def main(address: str | None, folder: Path | None, project: Path, patience: float) -> None:
    """Run the service with simulated neighbours, and talk to it.

    With a terminal: type; leave with Ctrl-D or Ctrl-C. Otherwise each line of standard input is sent and its reply
    awaited; exits 1 when one does not come.
    """
    for number in SIGNALS:
        signal.signal(number, _leave)
    if run_by_make():
        # kill -9 of make is meant for all of this.
        die_with_parent(signal.SIGTERM)
    somebody_new = f"whatsapp:+9198{random.randrange(10**8):08}"
    try:
        _run(Wishes(address or somebody_new, (folder or project / ".run").resolve(), project, patience))
    except KeyboardInterrupt:
        sys.exit(0 if sys.stdin.isatty() else INTERRUPTED)
    except (NoReply, NotHealthy, PortTaken, ValkeyNotStarted) as problem:
        click.echo(f"error: {problem}", err=True)
        sys.exit(1)


def _run(wishes: Wishes) -> None:
    """Start all, talk, stop all."""
    console = Console(highlight=False)
    phone = Phone(console)
    with contextlib.ExitStack() as stack:
        laptop = _laptop(wishes, phone, stack)
        stack.callback(laptop.stop)
        stack.callback(_ignore_signals)
        console.print("Starting …", style="dim")
        laptop.start()
        console.print(_header(laptop, wishes.address), soft_wrap=True, markup=False)
        person = laptop.twilio.person(wishes.address)
        if sys.stdin.isatty():
            phone.chat(person)
            return
        lines = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
        try:
            phone.play(person, lines, wishes.patience)
        except NoReply as missing:
            raise NoReply(f"{missing}\n{laptop.services.ended()}".strip()) from None


def _laptop(wishes: Wishes, phone: Phone, stack: contextlib.ExitStack) -> Laptop:
    """A laptop in the folder, or in a temporary one while another run has that."""
    make = partial(Laptop, ports=Ports.chosen(), on_otp=phone.show_sms, project=wishes.project)
    try:
        return make(wishes.folder)
    except FolderTaken as taken:
        own = Path(tempfile.mkdtemp(prefix="msmebazaar-"))
        stack.callback(shutil.rmtree, own, ignore_errors=True)
        click.echo(f"{taken}: this run keeps its data in {own}, and removes it at the end", err=True)
        return make(own)


def _header(laptop: Laptop, address: str) -> str:
    return HEADER.format(
        url=laptop.url,
        valkey=laptop.valkey.url,
        twilio=laptop.twilio.url,
        auth=laptop.auth.url,
        folder=laptop.folder,
        address=address,
        leave="Type, for example Hi. Leave with Ctrl-D or Ctrl-C.\n" if sys.stdin.isatty() else "",
    )


def _leave(number: int, frame: FrameType | None) -> None:
    """The first signal ends the run; those that follow must not disturb the stopping."""
    _ignore_signals()
    raise KeyboardInterrupt


def _ignore_signals() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    main()
