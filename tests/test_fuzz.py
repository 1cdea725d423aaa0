"""Any bytes at every endpoint, for a short while; `make fuzz` does it for longer."""

import re
import subprocess
import sys

from sandbox.services import PROJECT

CASES = 1500


def test_no_bytes_bring_an_endpoint_down() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz_endpoints", str(CASES)],
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
        cwd=PROJECT,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-5000:]
    statuses = {int(status) for status in re.findall(r"(\d{3}): \d", done.stdout)}
    # It came past the doors, and was refused at them.
    assert {200, 400, 401, 404, 405} <= statuses
    assert int(re.search(r"total: (\d+)", done.stdout)[1]) >= CASES
