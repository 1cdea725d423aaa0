"""The keys that seal what is stored: made, rotated while people talk, refused when they are the wrong ones."""

import base64
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from redis import Redis

from pipeline.seal import Seal
from pipeline.settings import Settings
from pipeline.texts import en, trouble
from sandbox.children import free_port
from sandbox.environment import Secrets
from sandbox.laptop import Laptop
from sandbox.services import COMMANDS, PROJECT
from tests.outside import ask, command, in_redis, key_of, laptop_in, logs_of, until

pytestmark = pytest.mark.xdist_group("keys")

PEOPLE = [f"whatsapp:+9198444000{number:02}" for number in range(6)]
STUCK = PEOPLE[0]


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with laptop_in(tmp_path_factory.mktemp("keys")) as started:
        yield started


def new_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def key_ids(laptop: Laptop) -> set[str]:
    """The ids of the keys that anything in Redis is sealed with."""
    everything = b"\n".join(value for values in in_redis(laptop.valkey.url).values() for value in values)
    return {part[-8:].decode() for part in everything.split(b":gAAAAA")[:-1]}


def talk(laptop: Laptop, *texts: str) -> None:
    """Everybody says these, and is answered."""
    for text in texts:
        counts = {address: len(laptop.twilio.person(address).replies) for address in PEOPLE}
        for address in PEOPLE:
            laptop.twilio.person(address).say(text)
        for address, count in counts.items():
            laptop.twilio.person(address).wait_for_replies(count + 1)


def restart(laptop: Laptop, *keys: str) -> None:
    laptop.services.env["SEAL_KEYS"] = ",".join(keys)
    for name in laptop.services.names:
        laptop.services.restart(name)
    laptop.services.wait_until_healthy()


def test_keys_new_prints_values_that_the_settings_take(laptop: Laptop) -> None:
    first, second = (command({"PATH": ""}, "keys", "new").stdout for _ in range(2))
    named = dict(line.split("=", 1) for line in first.splitlines())
    assert set(named) == {"SEAL_KEYS", "CONTACT_SECRET"} and first != second
    env = {name.lower(): value for name, value in {**laptop.services.env, **named}.items()}
    fields = {name: value for name, value in env.items() if name in Settings.model_fields}
    assert Settings(_env_file=None, **fields)


def test_keys_are_rotated_while_the_service_runs(laptop: Laptop) -> None:
    old, new = laptop.services.env["SEAL_KEYS"], new_key()
    old_id, new_id = Seal([old]).current_key_id, Seal([new]).current_key_id
    talk(laptop, "Hi", "Asha Devi")
    admin = {"Authorization": f"Bearer {laptop.services.env['ADMIN_TOKEN']}"}
    assert ask(laptop.url, "/send-broadcast", "POST", admin, '{"message": "Before the rotation"}').status == 202
    until(lambda: all("Before the rotation" in laptop.twilio.person(address).replies for address in PEOPLE))
    assert key_ids(laptop) == {old_id}

    restart(laptop, new, old)
    _interrupted_rotation(laptop)
    assert old_id in key_ids(laptop)

    rotation = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "keys", "rotate"],
        cwd=PROJECT,
        env=laptop.services.env,
        stdout=subprocess.PIPE,
        text=True,
    )
    talk(laptop, "Retail")
    said, _ = rotation.communicate(timeout=60)
    assert rotation.returncode == 0 and f"{new_id}: {len(PEOPLE)} people" in said
    assert key_ids(laptop) == {new_id}

    restart(laptop, new)
    talk(laptop, "STATUS")
    for address in PEOPLE:
        assert "Name: Asha Devi\nSector: Retail" in laptop.twilio.person(address).replies[-1]
    (shown,) = json.loads(ask(laptop.url, "/broadcasts", headers=admin).text)["broadcasts"]
    assert shown["message"] == "Before the rotation"
    assert '"unopenable"' not in logs_of(laptop.services)
    assert '"rotate keys"' in command(laptop.services.env, "audit", "--json").stdout


def _interrupted_rotation(laptop: Laptop) -> None:
    """A rotation that comes as far as somebody who is being talked with, and is killed there."""
    with Redis.from_url(laptop.valkey.url) as redis:
        lock = f"msme:lock:{key_of(laptop.services.env, STUCK)}"
        redis.set(lock, "another worker", px=60_000)
        rotation = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "keys", "rotate"], cwd=PROJECT, env=laptop.services.env
        )
        time.sleep(2)
        rotation.kill()
        rotation.wait()
        redis.delete(lock)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("wrong", ["SEAL_KEYS", "CONTACT_SECRET"])
def test_a_start_with_wrong_secrets_is_refused_with_words_that_help(laptop: Laptop, name: str, wrong: str) -> None:
    env = {**laptop.services.env, wrong: getattr(Secrets.fresh(), wrong), "PORT": str(free_port())}
    done = subprocess.run(
        [sys.executable, *COMMANDS[name]], cwd=PROJECT, env=env, check=False, capture_output=True, text=True, timeout=60
    )
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert wrong in said and "REDIS_URL" in said and "Traceback" not in said
    for secret in (env["SEAL_KEYS"], env["CONTACT_SECRET"], laptop.services.env[wrong], env["ADMIN_TOKEN"]):
        assert secret not in said


def test_a_session_that_cannot_be_opened_is_apologised_for_and_told_to_the_operator(laptop: Laptop) -> None:
    address, lost = PEOPLE[1], Seal([new_key()])
    key = key_of(laptop.services.env, address)
    with Redis.from_url(laptop.valkey.url) as redis:
        redis.set(f"msme:session:{key}", lost.close("{}", key, "session"))
    person = laptop.twilio.person(address)
    before = len(person.replies)
    person.say("400001")
    said = person.wait_for_replies(before + 1)[-1]
    assert said.startswith(trouble.SESSION_LOST) and en.NAME_QUESTION in said
    assert en.expired(24) not in said
    events = [json.loads(line) for line in laptop.services.log("worker").read_text().splitlines()]
    (problem,) = [event["problem"] for event in events if event["event"] == "unopenable"]
    assert f"msme:session:{key}" in problem and lost.current_key_id in problem
    person.say("Asha Devi")
    assert "Asha Devi" in person.wait_for_replies(before + 2)[-1]
