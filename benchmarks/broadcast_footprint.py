"""A broadcast to 100,000 people: how soon it runs, what it takes in Redis, and that no process grows by it.

python -m benchmarks.broadcast_footprint
"""

import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.request import Request, urlopen

import click
from redis import Redis

from benchmarks.stage import Stage
from pipeline.seal import Hasher, Seal
from pipeline.session import Contact, Details
from pipeline.store import PREFIX

START_AT_MOST_SECONDS = 5.0
BYTES_AT_MOST = 400
GROWTH_AT_MOST_MB = 10.0
CONTACT_SECONDS = 180 * 86400
CHUNK = 2000


@click.command()
@click.option("--people", type=click.IntRange(100), default=100_000, show_default=True)
@click.option("--seconds", type=float, default=30.0, show_default=True, help="How long it runs before the last look.")
def main(people: int, seconds: float) -> None:
    """Exit code 1 when an aim is missed."""
    with Stage("web", "worker", "clock") as stage:
        load_people(stage, people)
        stage.redis.execute_command("MEMORY", "PURGE")
        workers_before, redis_before = _resident(stage, "worker"), _used(stage.redis)
        began = time.monotonic()
        id_ = ask(stage, "/send-broadcast", {"message": "Namaste {name}, there is news for {sector}."})["broadcast_id"]
        posted = time.monotonic() - began
        while (now := ask(stage, f"/broadcasts/{id_}"))["status"] in ("scheduled", "preparing"):
            time.sleep(0.02)
        started = time.monotonic() - began
        keys = [f"{PREFIX}broadcast_rows:{id_}", f"{PREFIX}broadcast_queue:{id_}"]
        taken = sum(stage.redis.memory_usage(key, samples=0) for key in keys) / people
        workers_started = _resident(stage, "worker")
        time.sleep(seconds)
        now = ask(stage, f"/broadcasts/{id_}")
        grown = _resident(stage, "worker") - workers_before
        whole = (_used(stage.redis) - redis_before) / people
        assert now["recipients"] == people
        click.echo(f"recipients                                {people:>10,}")
        click.echo(f"seconds until the request was answered    {posted:>10.2f}")
        click.echo(f"seconds until it ran                      {started:>10.2f}   aim <= {START_AT_MOST_SECONDS:g}")
        click.echo(f"bytes a recipient in Redis, rows + queue  {taken:>10.0f}   aim <= {BYTES_AT_MOST}")
        click.echo(f"sent after {seconds:3.0f} s                          {now['sent']:>10,}")
        click.echo(f"bytes a recipient, everything, by then    {whole:>10.0f}")
        click.echo(f"worker process, MB before                 {workers_before:>10.1f}")
        click.echo(f"worker process, MB when it ran            {workers_started:>10.1f}")
        click.echo(f"worker process, MB grown in all           {grown:>10.1f}   aim <= {GROWTH_AT_MOST_MB:g}")
        is_missed = started > START_AT_MOST_SECONDS or taken > BYTES_AT_MOST or grown > GROWTH_AT_MOST_MB
        sys.exit(int(is_missed))


def load_people(stage: Stage, people: int) -> None:
    """People as the product itself would know them, a second apart over the last 20 hours."""
    seal, hasher = Seal(stage.env["SEAL_KEYS"].split(",")), Hasher(stage.env["CONTACT_SECRET"])
    now = int(time.time() * 1000)
    numbers = iter(range(people))
    while chunk := list(islice(numbers, CHUNK)):
        with stage.redis.pipeline(transaction=False) as pipeline:
            for number in chunk:
                for command in _person(seal, hasher, number, now - number % 72_000 * 1000):
                    pipeline.execute_command(*command)
            pipeline.execute()


def _person(seal: Seal, hasher: Hasher, number: int, last_in: int) -> Iterator[tuple[str | int, ...]]:
    address = f"whatsapp:+9190{number:08}"
    key = hasher.contact_key(address)
    contact = Contact(
        address,
        last_step="completed",
        registered_at=datetime.fromtimestamp(last_in / 1000, UTC),
        details=Details(f"Asha Devi {number}", "Textile", "400001", f"+9190{number:08}"),
    )
    yield (
        "SET",
        f"{PREFIX}contact:{key}",
        seal.close(json.dumps(contact.to_json()), key, "contact"),
        "EX",
        CONTACT_SECONDS,
    )
    yield "SET", f"{PREFIX}alias:{key}", key, "EX", CONTACT_SECONDS
    yield "HSET", f"{PREFIX}person:{key}", "last_in", last_in, "step", "completed", "addresses", key
    yield "EXPIRE", f"{PREFIX}person:{key}", CONTACT_SECONDS
    yield "ZADD", f"{PREFIX}people:completed", last_in, key


def ask(stage: Stage, path: str, wish: dict[str, str] | None = None) -> dict[str, Any]:
    """What the broadcasts' endpoints say, as an administrator."""
    headers = {"Authorization": f"Bearer {stage.env['ADMIN_TOKEN']}", "Content-Type": "application/json"}
    body = json.dumps(wish).encode() if wish else None
    with urlopen(Request(f"http://127.0.0.1:{stage.port}{path}", data=body, headers=headers), timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def _resident(stage: Stage, part: str) -> float:
    return stage.usage()[part].resident / 1e6


def _used(redis: Redis) -> int:
    return int(redis.info("memory")["used_memory"])


if __name__ == "__main__":
    main()
