"""A phone in the terminal: type to the bot, see what it says."""

import re
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress

from rich.align import Align
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from sandbox.auth import Otp
from sandbox.person import NoReply, Person
from sandbox.webhooks import Delivery

with suppress(ImportError):
    # Gives input() a line to edit; not everywhere built in.
    import readline

PROMPT = "you: "
STYLES = {"*": "bold", "_": "italic", "~": "strike"}
MARKED = re.compile(r"(?<!\w)([*_~])(?=\S)(.+?)(?<=\S)\1(?!\w)")


def whatsapp_text(body: str) -> Text:
    """A message as WhatsApp shows it: *bold*, _italic_ and ~struck~ without their marks."""
    text, shown_until = Text(), 0
    for found in MARKED.finditer(body):
        text.append(body[shown_until : found.start()])
        text.append(found[2], STYLES[found[1]])
        shown_until = found.end()
    return text.append(body[shown_until:])


class Phone:
    """One person's phone. On a terminal the bot's words stand in bubbles, elsewhere in plain lines."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._screen = threading.Lock()
        self._prompted = False
        self._shown = 0

    def show_sms(self, otp: Otp) -> None:
        """Show the SMS that would bring the OTP."""
        self._show("SMS", Text(f"to {otp.phone}: {otp.code} is your MSMEBazaar code"))

    def play(self, person: Person, lines: Iterable[str], seconds: float) -> None:
        """Send each line that is not blank, wait that long for the reply to it, show both. Raises NoReply."""
        for line in lines:
            text = line.rstrip("\r\n")
            if not text.strip():
                continue
            self._show("you", Text(text))
            delivery = person.say(text)
            if not delivery.acknowledged:
                raise NoReply(_not_taken(delivery))
            person.wait_for_replies(self._shown + 1, seconds)
            self._show_new(person)

    def chat(self, person: Person) -> None:
        """Send what is typed, show what the bot says as it arrives, until the end of input."""
        leaving = threading.Event()
        threading.Thread(target=self._listen, args=(person, leaving), daemon=True).start()
        try:
            while True:
                self._prompted = True
                text = input(PROMPT)
                self._prompted = False
                if text.strip() and not (delivery := person.say(text)).acknowledged:
                    self._show("!", Text(_not_taken(delivery)))
        except EOFError:
            return
        finally:
            self._prompted = False
            leaving.set()

    def _listen(self, person: Person, leaving: threading.Event) -> None:
        while not leaving.is_set():
            person.twilio.ledger.wait_for(person.address, self._shown + 1, 0.2)
            self._show_new(person)

    def _show_new(self, person: Person) -> None:
        for body in person.replies[self._shown :]:
            self._shown += 1
            self._show("bot", whatsapp_text(body) if self._console.is_terminal else Text(body))

    def _show(self, who: str, text: Text) -> None:
        with self._screen:
            if self._prompted:
                # The line being typed makes room and comes back below.
                sys.stdout.write("\r\033[K")
            if not self._console.is_terminal:
                self._console.print(Text(f"{who}: ") + Text(text.plain.replace("\n", "\n     ")), soft_wrap=True)
            elif who == "bot":
                width = min(self._console.width, 64)
                self._console.print(Panel(text, width=width, border_style="green", title="bot", title_align="left"))
            else:
                self._console.print(Align.left(Text(f"{who}: ", style="dim") + text))
            if self._prompted:
                typed = readline.get_line_buffer() if "readline" in sys.modules else ""
                sys.stdout.write(PROMPT + typed)
                sys.stdout.flush()


def _not_taken(delivery: Delivery) -> str:
    answer = f"it answered {delivery.status}" if delivery.status else "it did not answer"
    return f"the service did not take this message: {answer}"
