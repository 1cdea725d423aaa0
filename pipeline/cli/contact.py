"""One person: show, answer, erase."""

import click

from pipeline import care
from pipeline.cli.output import as_json, runtime, show, who

_CONTACT = click.argument("contact", metavar="KEY_OR_ADDRESS")


@click.group()
def contact() -> None:
    """One person, by contact key or by address (whatsapp:+91…)."""


@contact.command("show")
@_CONTACT
@click.option("--reveal", is_flag=True, help="Show name, number and answers as well; this is audited.")
@as_json
def show_(contact: str, reveal: bool, as_json: bool) -> None:
    """What is kept about a person.

    Example: python -m pipeline contact show whatsapp:+919812345678
    """
    house = runtime()
    key, person = care.look(house, contact)
    record, session = person.contact, person.session
    row: dict[str, object] = {
        "contact": key,
        "step": session.current_step if session else record.last_step or "none",
        "last message": record.last_inbound or "",
        "registered": record.registered_at or "no",
        "opted out": record.opted_out_at or "no",
        "consent": record.consent.at if record.consent else "no",
    }
    if reveal:
        house.audit.note(who(), "reveal", key)
        row["address"] = record.address
        row |= (session.data if session else record.details).to_json()
    show([row], as_json, "")


@contact.command()
@_CONTACT
@click.argument("text")
def reply(contact: str, text: str) -> None:
    """Answer a person in the name of the team; within 24 hours of their last message.

    Example: python -m pipeline contact reply 0f3c… "We have corrected your pincode."
    """
    click.echo(f"It is on its way to {care.reply(runtime(), contact, text, who())}.")


@contact.command()
@_CONTACT
@click.option("--yes", is_flag=True, help="Don't ask.")
def erase(contact: str, yes: bool) -> None:
    """Erase all that is kept about a person, but that they opted out.

    Example: python -m pipeline contact erase whatsapp:+919812345678
    """
    if not yes:
        click.confirm("Erase everything that is kept about this person?", abort=True)
    click.echo(f"Erased. Receipt: {care.erase(runtime(), contact, who())}")
