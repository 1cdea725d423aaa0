"""What a run showed, for people to read."""

from collections import Counter
from statistics import median

from rich.console import Console
from rich.table import Table

from chaos.run import Outcome
from chaos.verdict import Verdict
from chaos.waits import Wait

OFFENDERS_SHOWN = 3
NOTICED_SECONDS = 3.0


def show(outcome: Outcome, console: Console) -> None:
    """The tables, and whoever was not served right."""
    console.print(_numbers(outcome))
    if outcome.waits:
        console.print(_waits(outcome.waits))
    offenders = [verdict for verdict in outcome.verdicts if verdict.offences]
    for verdict in offenders[:OFFENDERS_SHOWN]:
        _show_offender(verdict, console)
    if outcome.failed:
        console.print(
            f"{len(offenders)} people were not served right. Logs: {outcome.logs}", style="red", soft_wrap=True
        )


def _numbers(outcome: Outcome) -> Table:
    table = Table(
        title=f"{outcome.scenario.title} (seed {outcome.seed}, {outcome.seconds:.0f} s)", title_justify="left"
    )
    table.add_column("")
    table.add_column("", justify="right")
    for name, count in _counts(outcome):
        table.add_row(name, str(count))
    table.add_section()
    for name, must_be_zero in _offences(outcome):
        table.add_row(name, f"[{'red' if must_be_zero else 'green'}]{must_be_zero}")
    table.add_section()
    for name, count in _injected(outcome):
        table.add_row(name, str(count))
    return table


def _counts(outcome: Outcome) -> list[tuple[str, object]]:
    verdicts = outcome.verdicts
    sent = [one for verdict in verdicts for one in verdict.sent]
    answered = {reply.cause for verdict in verdicts for reply in verdict.replies}
    taken = [one for one in sent if one.acknowledged]
    completed = sum(verdict.completed for verdict in verdicts)
    return [
        ("messages in", len(sent)),
        ("… acknowledged", len(taken)),
        ("… caught up from Twilio's list", sum(one.sid in answered for one in sent if not one.acknowledged)),
        ("turns taken (acknowledged and answered)", sum(one.sid in answered for one in taken)),
        ("replies accepted by Twilio", sum(len(verdict.replies) for verdict in verdicts)),
        ("people registered", f"{completed} of {len(verdicts)}"),
        ("longest wait, s", f"{max((wait.seconds for wait in outcome.waits), default=0):.1f}"),
    ]


def _offences(outcome: Outcome) -> list[tuple[str, int]]:
    verdicts = outcome.verdicts
    return [
        ("lost", sum(len(verdict.lost) for verdict in verdicts)),
        ("doubled", sum(len(verdict.doubled) for verdict in verdicts)),
        ("out of order", sum(len(verdict.out_of_order) for verdict in verdicts)),
        ("wrong words", sum(len(verdict.wrong) for verdict in verdicts)),
        ("people not registered", sum(not verdict.completed for verdict in verdicts)),
        ("processes that ended by themselves", len(outcome.trouble.ended_by_themselves)),
    ]


def _injected(outcome: Outcome) -> list[tuple[str, object]]:
    rows: list[tuple[str, object]] = [("webhooks delivered twice", outcome.repeated)]
    if outcome.scenario.outage:
        rows.append(("seconds without web", f"{outcome.scenario.outage:.0f}"))
    names = {"refuse": "Twilio refuses connections for a moment"}
    rows += [(names.get(deed, deed), count) for deed, count in sorted(outcome.trouble.counted.items())]
    for service, faults in (("Twilio", outcome.send_faults), ("Auth API", outcome.auth_faults)):
        kinds = Counter(fault.kind for fault in faults)
        if kinds:
            rows.append((f"{service} faults", "\n".join(f"{kind} × {n}" for kind, n in sorted(kinds.items()))))
    return rows


def _waits(waits: list[Wait]) -> Table:
    table = Table(title="Delays of replies, beyond the pace of one message a second", title_justify="left")
    table.add_column("what happened meanwhile")
    for column in ("replies", "median, s", "longest, s", f"over {NOTICED_SECONDS:.0f} s"):
        table.add_column(column, justify="right")
    causes = sorted({wait.cause for wait in waits})
    for cause in causes:
        delays = [wait.delay for wait in waits if wait.cause == cause]
        noticed = sum(delay > NOTICED_SECONDS for delay in delays)
        table.add_row(cause, str(len(delays)), f"{median(delays):.2f}", f"{max(delays):.1f}", str(noticed))
    return table


def _show_offender(verdict: Verdict, console: Console) -> None:
    console.rule(f"person {verdict.plan.number}, {verdict.plan.address}", align="left", style="red")
    for offence in verdict.offences:
        console.print(offence, style="red", markup=False, soft_wrap=True)
    beginning = min((one.posted_at for one in verdict.sent), default=0.0)
    lines = [
        (
            one.posted_at,
            f">> {one.text!r} {one.sid} {'200' if one.acknowledged else 'no 200'} at {one.through_at - beginning:.2f}",
        )
        for one in verdict.sent
    ]
    lines += [
        (reply.clock, f"<< {reply.text.splitlines()[0][:60]!r} ref {reply.reference}") for reply in verdict.replies
    ]
    for clock, line in sorted(lines):
        console.print(f"{clock - beginning:7.2f} s  {line}", markup=False, soft_wrap=True)
