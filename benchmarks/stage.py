"""The product under measurement: Valkey, its own processes, and the neighbours, in a folder that goes at the end."""

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from redis import Redis

from benchmarks.outside import Outside
from benchmarks.processes import Usage, usage_of
from sandbox.children import free_port
from sandbox.environment import Secrets, environment
from sandbox.services import Services
from sandbox.twilio_rest import Account
from sandbox.valkey import Valkey


class Stage:
    """`parts` of web, worker and clock run; `settings` go over the usual ones."""

    def __init__(self, *parts: str, settings: dict[str, str] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bench-"))
        self.account = Account()
        self.port = free_port()
        self.valkey = Valkey(self.folder / "valkey")
        self.outside = Outside(self.account, self.port)
        chosen = environment(
            port=self.port,
            redis_url=self.valkey.url,
            twilio_url=self.outside.url,
            auth_url=self.outside.url,
            account=self.account,
            own=Secrets.fresh(),
        )
        self.env = {**chosen, "TWILIO_MESSAGES_PER_SECOND": "400", **(settings or {})}
        self.services = Services(self.env, self.folder / "logs")
        self.redis: Redis = Redis.from_url(self.valkey.url, decode_responses=True)
        self._parts = parts
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        try:
            for part in (self.valkey, self.outside):
                part.start()
                self._stack.callback(part.stop)
            self._stack.callback(self.services.stop)
            if self._parts:
                self.services.start(*self._parts)
            if "web" in self._parts:
                self.services.wait_until_healthy()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.redis.close()
        self._stack.close()

    def usage(self) -> dict[str, Usage]:
        """What web, worker, clock and redis have used so far, children included."""
        pids = {**self.services.pids, "redis": self.valkey.pid}
        return {name: usage_of(pid) for name, pid in pids.items()}
