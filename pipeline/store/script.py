"""Redis scripts: files of `lua/`, each behind the common prelude."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from redis.client import Pipeline, Redis
from redis.exceptions import NoScriptError

_FOLDER = Path(__file__).parent / "lua"
_PRELUDE = (_FOLDER / "prelude.lua").read_text()
_BROADCASTS = (_FOLDER / "prelude_broadcasts.lua").read_text()

Word = str | bytes | int | float
_Answer_co = TypeVar("_Answer_co", covariant=True)
_First = TypeVar("_First")
_Second = TypeVar("_Second")


class Script:
    """One script, run as a whole by Redis: between its commands nothing else happens."""

    def __init__(self, name: str, about_broadcasts: bool = False) -> None:
        prelude = f"{_PRELUDE}\n{_BROADCASTS}" if about_broadcasts else _PRELUDE
        self._text = f"{prelude}\n{(_FOLDER / name).with_suffix('.lua').read_text()}"
        self._digest = hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, client: Redis, *arguments: Word) -> Any:
        """Runs by digest, and with the whole text when Redis does not know it (yet, or again after a restart)."""
        try:
            return client.evalsha(self._digest, 0, *arguments)
        except NoScriptError:
            return client.eval(self._text, 0, *arguments)

    def join(self, pipeline: Pipeline, is_known: bool, *arguments: Word) -> None:
        """Becomes part of a pipeline, by digest when Redis `is_known` to know it. A digest that it does not know fails
        alone (NoScriptError), and the rest of the pipeline happens."""
        if is_known:
            pipeline.evalsha(self._digest, 0, *arguments)
        else:
            pipeline.eval(self._text, 0, *arguments)


@dataclass(frozen=True, slots=True)
class Call(Generic[_Answer_co]):
    """A script with its arguments, not run yet, and how its answer is read."""

    script: Script
    arguments: tuple[Word, ...]
    read: Callable[[Any], _Answer_co]

    def run(self, client: Redis) -> _Answer_co:
        """One round trip."""
        return self.read(self.script(client, *self.arguments))


def both(client: Redis, first: Call[_First], second: Call[_Second]) -> tuple[_First, _Second]:
    """Runs one script and then the other, in one round trip. Both must bear being run again: they are, when Redis does
    not know one of them (yet, or again after a restart)."""
    try:
        answers = _answers(client, first, second, is_known=True)
    except NoScriptError:
        answers = _answers(client, first, second, is_known=False)
    return first.read(answers[0]), second.read(answers[1])


def _answers(client: Redis, *calls: Call[Any], is_known: bool) -> list[Any]:
    with client.pipeline(transaction=False) as pipeline:
        for call in calls:
            call.script.join(pipeline, is_known, *call.arguments)
        return pipeline.execute()
