"""The whole service on one machine: Valkey, a simulated Twilio and Auth API, and the product's own processes.

with Laptop(tmp_path, settings={"WORKER_PROCESSES": "4"}) as laptop:
    asha = laptop.twilio.person("whatsapp:+919800000001")
    asha.say("Hi")
    asha.wait_for_replies(1)
    laptop.services.kill("worker")
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.auth import FakeAuth, Otp
from sandbox.children import FolderLock, free_port
from sandbox.environment import Ports, Secrets, environment
from sandbox.services import PROJECT, Services
from sandbox.status_callbacks import StatusPlan
from sandbox.twilio import FakeTwilio
from sandbox.valkey import Valkey

# As the README asks for it in production: Twilio's default gives up on an error at once.
OVERRIDES = "#rc=3&rp=5xx,ct,rt&rt=5000"


class Laptop:
    """Everything, in one folder: Valkey's files in `valkey/`, logs in `logs/`, secrets in `keys.json`.

    Started a second time in the same folder, it finds all conversations again. Start it from the main thread.
    """

    def __init__(
        self,
        folder: Path,
        *,
        ports: Ports | None = None,
        workers: int = 1,
        settings: Mapping[str, str] | None = None,
        statuses: StatusPlan | None = None,
        appendfsync: str = "everysec",
        cooldown: float = 30.0,
        on_otp: Callable[[Otp], None] | None = None,
        project: Path = PROJECT,
    ) -> None:
        """`workers` counts parents (`worker.py`); `settings` go over those that are chosen here.

        Raises FolderTaken when a running program has the folder.
        """
        self.folder = folder
        self._lock: FolderLock | None = FolderLock(folder)
        self._stack = ExitStack()
        self._stack.callback(self._lock.release)
        ports = ports or Ports(free_port(), free_port(), free_port(), free_port())
        self.url = f"http://127.0.0.1:{ports.web}"
        self.valkey = Valkey(folder / "valkey", ports.redis, appendfsync=appendfsync)
        self.twilio = FakeTwilio(port=ports.twilio, webhook_url=f"{self.url}/webhook{OVERRIDES}", statuses=statuses)
        self.auth = FakeAuth(port=ports.auth, cooldown=cooldown, on_otp=on_otp)
        chosen = environment(
            port=ports.web,
            redis_url=self.valkey.url,
            twilio_url=self.twilio.url,
            auth_url=self.auth.url,
            account=self.twilio.account,
            own=Secrets.kept_in(folder / "keys.json"),
        )
        self.services = Services({**chosen, **(settings or {})}, folder / "logs", workers=workers, project=project)

    def start(self, seconds: float = 60.0) -> None:
        """Start all and wait that long until it is healthy. On an error all is stopped.

        Raises PortTaken, ValkeyNotStarted or NotHealthy.
        """
        try:
            for part in (self.valkey, self.twilio, self.auth, self.services):
                self._stack.callback(part.stop)
                part.start()
            self.services.wait_until_healthy(seconds)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop all, in reverse order."""
        self._stack.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
