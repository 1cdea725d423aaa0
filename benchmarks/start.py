"""How soon the product is there: its imports, and the first answer after a start."""

import json
import subprocess
import sys
import time

from benchmarks.results import Result, Scale, at_most, median
from benchmarks.stage import Stage
from sandbox.services import PROJECT

_TIMED = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


def run(scale: Scale) -> list[Result]:
    """Each several times, the median; compiled files exist, as in a built image."""
    imports: dict[str, list[float]] = {"web": [], "worker": []}
    answers = []
    for _ in range(max(3, scale.rounds)):
        with Stage() as stage:
            for module, seconds in imports.items():
                seconds.append(_import(stage, module))
            began = time.monotonic()
            stage.services.start("web")
            _first_answer(stage)
            answers.append(time.monotonic() - began)
    return [
        *(at_most("start", f"import {module}", median(seconds), 0.6, "s") for module, seconds in imports.items()),
        at_most("start", "first answer of web after its start", median(answers), 2, "s"),
    ]


def _import(stage: Stage, module: str) -> float:
    argv = (sys.executable, "-c", _TIMED.format(module))
    return float(json.loads(subprocess.run(argv, env=stage.env, cwd=PROJECT, check=True, capture_output=True).stdout))


def _first_answer(stage: Stage) -> None:
    from urllib.error import HTTPError
    from urllib.request import urlopen

    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            urlopen(f"http://127.0.0.1:{stage.port}/health/live", timeout=5).close()
            return
        except HTTPError:
            return
        except OSError:
            time.sleep(0.01)
    raise TimeoutError(f"no answer within 30 s: {stage.services.ended()}")
