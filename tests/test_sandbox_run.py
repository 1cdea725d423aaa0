"""`python -m sandbox`, with an echo in the product's place: what is shown, and that nothing is left running."""

import os
import pty
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.laptop import Laptop
from sandbox.phone import whatsapp_text
from sandbox.services import PROJECT, NotHealthy

WEB = """
import base64, os, urllib.parse, urllib.request

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/xml")])
    if environ["PATH_INFO"] == "/webhook":
        form = dict(urllib.parse.parse_qsl(environ["wsgi.input"].read().decode()))
        if form["Body"] != "mute":
            reply(form["From"], "*Echo:* " + form["Body"])
    return [b"<Response/>"]

def reply(to, body):
    account = os.environ["TWILIO_ACCOUNT_SID"]
    user = account + ":" + os.environ["TWILIO_AUTH_TOKEN"]
    form = {"From": os.environ["TWILIO_WHATSAPP_NUMBER"], "To": to, "Body": body}
    url = os.environ["TWILIO_API_BASE_URL"] + "/2010-04-01/Accounts/" + account + "/Messages.json"
    headers = {"Authorization": "Basic " + base64.b64encode(user.encode()).decode()}
    urllib.request.urlopen(urllib.request.Request(url, urllib.parse.urlencode(form).encode(), headers)).close()
"""
GUNICORN = (
    "import os\nbind = '127.0.0.1:' + os.environ['PORT']\ncontrol_socket_disable = True\nworker_class = 'gthread'\n"
)
# A parent with one child that ends with it, as worker.py has.
WORKER = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
child.wait()
"""
CLOCK = "import time\ntime.sleep(600)\n"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A folder with an echo where the product's programs would be; it fails a test that leaves something running."""
    folder = tmp_path / "the project"
    files = {"web.py": WEB, "gunicorn.conf.py": GUNICORN, "worker.py": WORKER, "pipeline/__main__.py": CLOCK}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    yield folder
    deadline = time.monotonic() + 10
    while (left := running_in(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert left == []


def running_in(folder: Path) -> list[str]:
    """The command lines of the processes that work in this folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink().is_relative_to(folder):
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


def command(project: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "sandbox", "--project", str(project), *options]


def run(project: Path, typed: str, *options: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(project, *options),
        input=typed,
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
        cwd=PROJECT,
        env={**os.environ, **env},
    )


def test_each_piped_line_is_shown_with_its_reply(project: Path) -> None:
    done = run(project, "Hi\n\nनमस्ते\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert "you: Hi\nbot: *Echo:* Hi\nyou: नमस्ते\nbot: *Echo:* नमस्ते\n" in done.stdout


def test_a_missing_reply_ends_the_run_with_an_error(project: Path) -> None:
    done = run(project, "Hi\nmute\nnever sent\n", "--patience", "0.5")
    assert done.returncode == 1 and "you: never sent" not in done.stdout
    assert re.search(r"error: 1 replies instead of 2 within 0.5 s", done.stderr)


def test_a_service_that_does_not_start_is_told_with_the_end_of_its_log(project: Path) -> None:
    (project / "gunicorn.conf.py").write_text("raise SystemExit('REDIS_URL is missing')")
    done = run(project, "Hi\n")
    assert done.returncode == 1
    assert "web ended with 1" in done.stderr and "REDIS_URL is missing" in done.stderr


def test_a_service_that_ends_later_is_told_when_a_reply_is_missing(project: Path) -> None:
    (project / "worker.py").write_text("import time; time.sleep(0.2); raise SystemExit('Redis is gone')")
    done = run(project, "mute\n", "--patience", "1")
    assert done.returncode == 1
    assert "worker ended with 1" in done.stderr and "Redis is gone" in done.stderr


def test_a_port_that_is_taken_is_told_with_its_setting(project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = run(project, "Hi\n", SANDBOX_AUTH_PORT=port)
    assert done.returncode == 1 and f"SANDBOX_AUTH_PORT={port} is taken" in done.stderr


def test_a_second_run_beside_the_first_says_where_it_keeps_its_data(project: Path) -> None:
    with Laptop(project / ".run", project=project):
        done = run(project, "Hi\n")
    assert done.returncode == 0 and "bot: *Echo:* Hi" in done.stdout
    assert "is in use by another running program: this run keeps its data in" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent death signal is Linux's")
def test_kill_9_of_the_run_leaves_nothing_running(project: Path) -> None:
    with subprocess.Popen(
        command(project), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT
    ) as parent:
        assert parent.stdout is not None
        assert any("You write as" in line for line in parent.stdout)
        assert len(running_in(project)) >= 6
        parent.kill()


def test_on_a_terminal_the_reply_comes_in_a_bubble_and_ctrl_c_leaves(project: Path) -> None:
    terminal, screen = pty.openpty()
    with subprocess.Popen(command(project), stdin=screen, stdout=screen, stderr=screen, cwd=PROJECT) as parent:
        os.close(screen)
        read_until(terminal, "you: ")
        os.write(terminal, b"Hi\n")
        bubble = read_until(terminal, "╯")
        assert "\x1b[1mEcho:\x1b[0m Hi" in bubble and "*Echo:*" not in bubble
        parent.send_signal(2)
        assert parent.wait(20) == 0
    os.close(terminal)


def read_until(terminal: int, words: str) -> str:
    """What appears on the terminal until these words do."""
    seen = b""
    while words not in seen.decode(errors="replace"):
        ready, _, _ = select.select([terminal], [], [], 20)
        assert ready, f"{words!r} did not appear: {seen.decode(errors='replace')}"
        seen += os.read(terminal, 4096)
    return seen.decode(errors="replace")


def test_services_are_killed_and_restarted_one_by_one(project: Path, tmp_path: Path) -> None:
    with Laptop(tmp_path / "run", project=project, workers=2) as laptop:
        before = laptop.services.pids
        assert list(before) == ["web", "clock", "worker", "worker2"] and len(laptop.services.worker_children()) == 2
        laptop.services.kill("worker2")
        assert "worker2" not in laptop.services.pids
        laptop.services.start("worker2")
        laptop.services.restart("web")
        laptop.services.wait_until_healthy()
        after = laptop.services.pids
        assert after["worker"] == before["worker"] and after["web"] != before["web"]


def test_not_healthy_shows_what_health_said(project: Path, tmp_path: Path) -> None:
    (project / "web.py").write_text(WEB.replace("200 OK", "503 Busy").replace("<Response/>", "redis: down"))
    with pytest.raises(NotHealthy, match="503 redis: down"):
        Laptop(tmp_path / "run", project=project).start(seconds=1)


def test_no_setting_can_leak_in_from_a_dot_env_file(tmp_path: Path) -> None:
    example = PROJECT / ".env.example"
    laptop = Laptop(tmp_path)
    named = set(re.findall(r"^#?\s?([A-Z][A-Z_]+)=", example.read_text(), re.MULTILINE))
    assert named - laptop.services.env.keys() == set()
    laptop.stop()


def test_whatsapp_marks_are_shown_as_styles() -> None:
    text = whatsapp_text("*Asha Devi*, 2 * 3 * 4, snake_case_name, _soon_")
    assert text.plain == "Asha Devi, 2 * 3 * 4, snake_case_name, soon"
    assert [(span.start, span.end, span.style) for span in text.spans] == [(0, 9, "bold"), (39, 43, "italic")]
