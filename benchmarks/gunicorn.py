"""Another Flask application under the very gunicorn settings of the product."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from benchmarks.stage import Stage
from sandbox.children import free_port, spawn
from sandbox.services import PROJECT, kill_session

_START_SECONDS = 20.0


@contextmanager
def served(stage: Stage, application: str) -> Iterator[int]:
    """The port on which `module:app` answers while the block runs."""
    port = free_port()
    argv = (sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", application)
    child = spawn(argv, stage.folder / f"{port}.log", env={**stage.env, "PORT": str(port)}, cwd=PROJECT)
    try:
        _wait_for(port)
        yield port
    finally:
        child.terminate()
        kill_session(child)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
        except HTTPError:
            return
        except (URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
