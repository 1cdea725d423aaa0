"""What a deployment reads: Procfile, Dockerfile, docker-compose.yml, app.json name the same commands and settings."""

import json
import re
import shlex
from pathlib import PurePosixPath
from typing import Any

import pytest
import yaml

from pipeline.settings import Settings
from sandbox.auth import FakeAuth
from sandbox.services import COMMANDS, PROJECT
from sandbox.twilio import FakeTwilio
from tests.service import settings_for

PROCESSES = ("web", "worker", "clock")
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["services"]
APP: dict[str, Any] = json.loads((PROJECT / "app.json").read_text())


def procfile() -> dict[str, list[str]]:
    lines = (PROJECT / "Procfile").read_text().splitlines()
    return {name: shlex.split(command) for name, command in (line.split(": ", 1) for line in lines)}


def instructions() -> list[tuple[str, str]]:
    """Those of the Dockerfile, continued lines joined."""
    text = re.sub(r"\\\n", " ", (PROJECT / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def as_run_in_tests(argv: list[str]) -> tuple[str, ...]:
    """Procfile's words as `sandbox.services` gives them to Python."""
    return tuple(argv[1:]) if argv[0] == "python" else ("-m", *argv)


@pytest.mark.parametrize("name", PROCESSES)
def test_the_same_command_stands_everywhere_and_it_is_what_the_tests_run(name: str) -> None:
    argv = procfile()[name]
    assert COMPOSE[name]["command"] == argv
    assert COMMANDS[name] == as_run_in_tests(argv)
    assert APP["formation"][name]["quantity"] == 1


def test_a_release_with_wrong_settings_is_refused() -> None:
    assert procfile()["release"] == ["python", "-m", "pipeline", "doctor", "--settings-only"]
    assert set(APP["formation"]) == set(procfile()) - {"release"}
    assert [name for name in COMPOSE if name != "redis"] == list(APP["formation"])


def test_a_small_redis_plan_has_connections_enough(fake_twilio: FakeTwilio, fake_auth: FakeAuth) -> None:
    given = {name.lower(): asked["value"] for name, asked in APP["env"].items() if "value" in asked}
    assert settings_for("rediss://far.example", fake_twilio, fake_auth, **given).redis_connections >= 2


def test_the_image_holds_what_the_commands_need_and_nothing_secret() -> None:
    copied = [PurePosixPath(word) for kind, rest in instructions() if kind == "COPY" for word in rest.split()[:-1]]
    assert {str(path) for path in copied} == {
        "requirements.txt", "constraints.txt", "gunicorn.conf.py", "web.py", "worker.py", "pipeline",
    }  # fmt: skip
    assert all((PROJECT / path).exists() for path in copied)
    ignored = (PROJECT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored and {f"!{path}" for path in copied} == {line for line in ignored if line.startswith("!")}


def test_the_image_runs_without_rights_and_says_whether_it_is_alive() -> None:
    named = dict(instructions())
    # By number: a cluster that forbids root cannot look a name up.
    assert int(named["USER"]) > 0
    kinds = [kind for kind, _ in instructions()]
    assert kinds.index("USER") > max(index for index, kind in enumerate(kinds) if kind == "RUN")
    assert "/health/live" in named["HEALTHCHECK"]
    check = json.loads(named["HEALTHCHECK"].partition("CMD ")[2])
    compile(check[2], "HEALTHCHECK", "exec")
    version = (PROJECT / ".python-version").read_text().strip()
    assert named["FROM"] == f"python:{version}-slim"


def test_redis_keeps_what_it_was_given_and_evicts_nothing() -> None:
    command = " ".join(COMPOSE["redis"]["command"])
    assert "--appendonly yes" in command and "--maxmemory-policy noeviction" in command
    assert COMPOSE["redis"]["volumes"]


@pytest.mark.parametrize("name", PROCESSES)
def test_a_container_has_time_to_finish_and_only_web_listens(name: str) -> None:
    service = COMPOSE[name]
    assert service["stop_grace_period"] == "30s"
    assert ("ports" in service) == (name == "web")
    assert service.get("healthcheck", {}).get("disable", False) == (name != "web")


def test_a_new_app_is_asked_for_all_that_has_no_default() -> None:
    fields = Settings.model_fields
    required = {name.upper() for name, field in fields.items() if field.is_required()}
    # Heroku gives an app its Redis by itself.
    assert required - {"REDIS_URL"} <= set(APP["env"]) <= {name.upper() for name in fields}
    for name, asked in APP["env"].items():
        assert asked["description"], name
