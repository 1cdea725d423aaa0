"""The embedded Valkey server: what it keeps, and how it ends."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import TimeoutError as RedisTimeout

from sandbox.children import FolderTaken, PortTaken
from sandbox.valkey import Valkey, ValkeyNotStarted


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    with Valkey(tmp_path / "a folder with spaces") as server:
        yield server


def client(server: Valkey) -> Redis:
    return Redis.from_url(server.url, socket_timeout=0.3, retry=None, decode_responses=True)


def test_what_was_written_is_there_after_a_stop_and_a_start_on_the_same_port(valkey: Valkey) -> None:
    url = valkey.url
    client(valkey).set("kept", "yes")
    valkey.stop()
    valkey.start()
    assert client(valkey).get("kept") == "yes" and valkey.url == url


def test_kill_9_with_appendfsync_always_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with Valkey(tmp_path, appendfsync="always") as valkey:
        client(valkey).set("kept", "yes")
        valkey.kill()
        valkey.start()
        assert client(valkey).get("kept") == "yes"


def test_a_hanging_server_answers_nothing_until_resumed(valkey: Valkey) -> None:
    valkey.hang()
    with pytest.raises(RedisTimeout):
        client(valkey).ping()
    valkey.resume()
    assert client(valkey).ping()


def test_a_hanging_server_can_be_stopped(valkey: Valkey) -> None:
    valkey.hang()
    pid = valkey.pid
    valkey.stop()
    assert not Path(f"/proc/{pid}").exists()


def test_it_runs_with_the_settings_the_product_relies_on(tmp_path: Path) -> None:
    with Valkey(tmp_path, maxmemory="32mb", options=("--maxclients", "20")) as valkey:
        config = client(valkey).config_get("*")
    assert config["maxmemory-policy"] == "noeviction"
    assert config["appendonly"] == "yes" and config["save"] == ""
    assert config["maxmemory"] == str(32 * 1024 * 1024) and config["maxclients"] == "20"


def test_a_second_server_in_the_same_folder_is_refused(valkey: Valkey) -> None:
    with pytest.raises(FolderTaken, match="a folder with spaces is in use"):
        Valkey(valkey.folder).start()


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)):
            Valkey(tmp_path, port=port).start()


def test_a_setting_that_valkey_refuses_is_told_with_the_end_of_the_log(tmp_path: Path) -> None:
    with pytest.raises(ValkeyNotStarted, match="sometimes"):
        Valkey(tmp_path, appendfsync="sometimes").start()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent death signal is Linux's")
def test_it_goes_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = f"from sandbox.valkey import Valkey; v = Valkey({str(tmp_path)!r}); v.start(); print(v.pid, flush=True)"
    program += "; input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        server = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 5
    while _runs(server) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _runs(server)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
