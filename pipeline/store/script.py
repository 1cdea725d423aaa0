"""Redis scripts: files of `lua/`, each behind the common prelude."""

import hashlib
from pathlib import Path
from typing import Any

from redis.client import Pipeline, Redis
from redis.exceptions import NoScriptError

_FOLDER = Path(__file__).parent / "lua"
_PRELUDE = (_FOLDER / "prelude.lua").read_text()
_BROADCASTS = (_FOLDER / "prelude_broadcasts.lua").read_text()


class Script:
    """One script, run as a whole by Redis: between its commands nothing else happens."""

    def __init__(self, name: str, about_broadcasts: bool = False) -> None:
        prelude = f"{_PRELUDE}\n{_BROADCASTS}" if about_broadcasts else _PRELUDE
        self._text = f"{prelude}\n{(_FOLDER / name).with_suffix('.lua').read_text()}"
        self._digest = hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, client: Redis, *arguments: str | int | float) -> Any:
        """Runs by digest, and with the whole text when Redis does not know it (yet, or again after a restart)."""
        try:
            return client.evalsha(self._digest, 0, *arguments)
        except NoScriptError:
            return client.eval(self._text, 0, *arguments)

    def join(self, pipeline: Pipeline, is_known: bool, *arguments: str | int | float) -> None:
        """Becomes part of a transaction, by digest when Redis `is_known` to know it. A digest that it does not know
        fails alone (NoScriptError), and the rest of the transaction happens."""
        if is_known:
            pipeline.evalsha(self._digest, 0, *arguments)
        else:
            pipeline.eval(self._text, 0, *arguments)
