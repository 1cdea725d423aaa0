"""Broadcasts as an admin makes them from the command line, each command a process of its own."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from pipeline import broadcasts
from sandbox.environment import environment
from sandbox.services import PROJECT
from tests.crowd import heard, people, rows, serve, standing, started
from tests.service import OWN, Bot

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(bot: Bot, redis_url: str) -> Run:
    """`run("list", "--json")` is `python -m pipeline broadcast list --json`; `typed` is what is typed then."""
    env = environment(
        port=9, redis_url=redis_url, twilio_url=bot.twilio.url, auth_url=bot.auth.url, account=bot.twilio.account,
        own=OWN,
    )  # fmt: skip

    def command(*words: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
        argv = [sys.executable, "-m", "pipeline", "broadcast", *words]
        return subprocess.run(
            argv, env=env, cwd=PROJECT, input=typed, capture_output=True, text=True, timeout=60, check=False
        )

    return command


def answered(run: Run, *words: str) -> Any:
    done = run(*words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_send_shows_what_will_happen_and_asks(bot: Bot, run: Run) -> None:
    crowd = people(bot, 2)
    refused = run("send", "News", typed="n\n")
    assert refused.returncode == 1 and "2 people will get it" in refused.stderr
    assert bot.runtime.broadcasts.newest() == []
    agreed = run("send", "News for {name}", "--target-step", "sector", "--name", "Monday", typed="y\n")
    assert agreed.returncode == 0 and "scheduled" in agreed.stdout
    (made,) = bot.runtime.broadcasts.newest()
    broadcasts.start(bot.runtime, made.id)
    serve(bot)
    assert heard(bot, crowd) == [1, 1]


def test_a_dry_run_shows_and_makes_nothing(bot: Bot, run: Run) -> None:
    people(bot, 2)
    preview = answered(run, "send", "News", "--dry-run")
    assert (preview["recipients"], preview["messages"], preview["length"], preview["warning"]) == (2, 2, 4, "")
    assert preview["steps"]["sector"]["in_window"] == 2
    assert bot.runtime.broadcasts.newest() == []


def test_scripts_send_once_for_a_key(bot: Bot, run: Run) -> None:
    first = answered(run, "send", "News", "--yes", "--key", "monday", "--at", "2027-01-01 10:00 IST")
    again = answered(run, "send", "News", "--yes", "--key", "monday", "--at", "2027-01-01 10:00 IST")
    assert (first["created"], again["created"]) == (True, False) and first["broadcast_id"] == again["broadcast_id"]
    assert (first["status"], first["send_at"]) == ("scheduled", "2027-01-01T04:30:00+00:00")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["send", "Dear {nmae}", "--yes"], "nmae"),
        (["send", "News", "--yes", "--at", "2027-01-01 IST"], "2026-12-01 10:00 IST"),
        (["show", "b0123456789ab"], "There is no broadcast"),
    ],
)
def test_what_is_wrong_is_said_in_words(run: Run, words: list[str], said: str) -> None:
    refused = run(*words)
    assert refused.returncode == 1 and said in refused.stderr and "Traceback" not in refused.stderr


def test_one_is_followed_paused_resumed_and_cancelled(bot: Bot, run: Run) -> None:
    people(bot, 2)
    id_ = started(bot)
    assert answered(run, "pause", id_) == {"broadcast_id": id_, "status": "paused"}
    watched = run("watch", id_)
    assert watched.returncode == 0 and watched.stdout.startswith(f"{id_} paused: 0 sent,")
    assert "2 waiting" in watched.stdout
    assert run("resume", id_).stdout == f"{id_}: running\n"
    assert run("cancel", id_, typed="n\n").returncode == 1 and standing(bot, id_).state == "running"
    assert answered(run, "cancel", id_, "--yes") == {"broadcast_id": id_, "status": "cancelled"}
    serve(bot)
    assert standing(bot, id_).skipped == 2
    assert answered(run, "watch", id_)["status"] == "cancelled"


def test_what_became_of_one_is_listed_shown_and_exported(bot: Bot, run: Run) -> None:
    crowd = people(bot, 2)
    id_ = started(bot)
    serve(bot)
    bot.redis.hset(f"msme:broadcast_rows:{id_}", bot.key(crowd[0]), "failed 63010 1790000000000 0")
    bot.redis.hincrby(f"msme:broadcast:{id_}", "n_sent", -1)
    bot.redis.hincrby(f"msme:broadcast:{id_}", "n_failed", 1)
    listed = run("list").stdout
    assert id_ in listed and "delivered" in listed
    assert [(one["broadcast_id"], one["sent"], one["failed"]) for one in answered(run, "list")] == [(id_, 1, 1)]
    assert answered(run, "show", id_)[0]["status"] == "done"
    table = {row["contact"]: row for row in csv.DictReader(io.StringIO(run("export", id_).stdout))}
    failed, sent = table[bot.key(crowd[0])], table[bot.key(crowd[1])]
    assert (failed["status"], failed["code"], sent["status"]) == ("failed", "63010", "sent")
    assert "passing fault" in failed["meaning"] and failed["at"].endswith("+00:00") and "address" not in failed
    assert answered(run, "retry-failed", id_) == {"broadcast_id": id_, "retried": 1}
    assert rows(bot, id_)[bot.key(crowd[0])][0] == "queued"


def test_addresses_are_exported_only_when_asked_for_and_that_is_audited(bot: Bot, run: Run) -> None:
    crowd = people(bot, 2)
    id_ = started(bot)
    serve(bot)
    bot.redis.delete(f"msme:contact:{bot.key(crowd[1])}")
    assert "whatsapp" not in run("export", id_, "--json").stdout
    lines = [json.loads(line) for line in run("export", id_, "--json", "--reveal").stdout.splitlines()]
    assert {line["contact"]: line["address"] for line in lines} == {bot.key(crowd[0]): crowd[0], bot.key(crowd[1]): ""}
    newest = bot.runtime.audit.newest(1)[0]
    assert newest.who.startswith("cli:") and (newest.what, newest.about) == ("reveal broadcast", id_)
