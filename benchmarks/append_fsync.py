"""What `appendfsync always` costs: the door's transaction against two servers side by side, one with each setting.

python -m benchmarks.append_fsync
"""

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles

import click
from redis import Redis

from pipeline.intake import Intake
from pipeline.messages import Inbound
from pipeline.seal import Hasher, Seal
from pipeline.store.door import Door
from pipeline.wakeups import WakeUps
from sandbox.environment import Secrets
from sandbox.ledger import new_sid
from sandbox.valkey import Valkey

POLICIES = ("everysec", "always")
AT_ONCE = (1, 16)
CONTACT_DAYS = 180


@click.command()
@click.option("--messages", type=click.IntRange(100), default=1000, show_default=True, help="In each round.")
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True)
@click.option("--folder", type=click.Path(exists=True), help="Where the files go: on the disk that is to be measured.")
def main(messages: int, rounds: int, folder: str | None) -> None:
    """Prints, for both settings: milliseconds for one message to be durable, and messages a second."""
    with (
        tempfile.TemporaryDirectory(dir=folder) as place,
        Valkey(Path(place) / "everysec", appendfsync="everysec") as lazy,
        Valkey(Path(place) / "always", appendfsync="always") as eager,
    ):
        servers = dict(zip(POLICIES, (lazy, eager), strict=True))
        own = Secrets.fresh()
        click.echo(f"{'appendfsync':<12} {'at once':>8} {'median ms':>10} {'99 % ms':>10} {'a second':>10}")
        for at_once in AT_ONCE:
            taken: dict[str, list[float]] = {name: [] for name in POLICIES}
            rates: dict[str, list[float]] = {name: [] for name in POLICIES}
            for _ in range(rounds):
                for name, server in servers.items():
                    seconds, each = _round(server.url, own, messages, at_once)
                    taken[name] += each
                    rates[name].append(messages / seconds)
            for name in POLICIES:
                middle, late = median(taken[name]) * 1000, quantiles(taken[name], n=100)[-1] * 1000
                click.echo(f"{name:<12} {at_once:>8} {middle:>10.2f} {late:>10.2f} {median(rates[name]):>10,.0f}")


def _round(url: str, own: Secrets, messages: int, at_once: int) -> tuple[float, list[float]]:
    """That many messages of as many people, so many at once: seconds in all, and for each."""
    with Redis.from_url(url) as redis:
        redis.flushall()
        door = Door(redis, Seal(own.SEAL_KEYS.split(",")), Hasher(own.CONTACT_SECRET), CONTACT_DAYS)
        intake = Intake(door, WakeUps(redis))
        intake.take(_message(0))

        def take(number: int) -> float:
            began = time.perf_counter()
            intake.take(_message(number))
            return time.perf_counter() - began

        with ThreadPoolExecutor(at_once) as writers:
            began = time.perf_counter()
            each = list(writers.map(take, range(1, messages + 1)))
            return time.perf_counter() - began, each


def _message(number: int) -> Inbound:
    return Inbound(sid=new_sid(), address=f"whatsapp:+9197{number:08}", text="Asha Devi")


if __name__ == "__main__":
    main()
