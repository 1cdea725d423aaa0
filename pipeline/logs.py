"""Log lines: one JSON object each, fields instead of sentences, nothing personal in them.

Our own lines carry opaque keys only. Lines of libraries are cut to their name and level below WARNING, because what
they would say at DEBUG holds addresses and texts; exceptions are logged by type and place, never by message, because
messages of libraries quote what they choked on.
"""

import logging
import sys
import threading
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

_LIBRARIES = ("twilio", "urllib3", "requests", "rq", "redis", "werkzeug", "gunicorn", "asyncio")


def configure(level: str, style: str = "json") -> None:
    """Sets up logging for this process, libraries included; `style` is json or console. Call once, first."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exception_without_words,
            _renderer(style),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_LibraryHandler()], level=logging.WARNING, force=True)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    sys.excepthook = lambda _, error, __: _uncaught(error)
    threading.excepthook = lambda args: _uncaught(args.exc_value)
    sys.unraisablehook = lambda args: _uncaught(args.exc_value)


def trace_of(reference: str) -> str:
    """What ties the lines about a message of ours to those about the message it answers: the sid in the middle of its
    reference `KEY-SID-NUMBER`, `timer-TIME` for a turn that nobody's message caused, the id of a broadcast."""
    key, _, rest = reference.partition("-")
    cause = rest.removesuffix("-again").rpartition("-")[0]
    return cause or rest or key


def _renderer(style: str) -> Any:
    if style == "console":
        return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    return structlog.processors.JSONRenderer(ensure_ascii=False)


def get(name: str) -> Any:
    """The logger of one module: `log.info("event", field=…)`."""
    return structlog.get_logger(module=name)


def _uncaught(error: BaseException | None) -> None:
    """Instead of a traceback, which ends with the exception's message."""
    get("process").error("uncaught", error=error)


def _exception_without_words(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    error = event.pop("error", None)
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)[-6:]
        event["error"] = type(error).__name__
        event["at"] = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))
    return event


class _LibraryHandler(logging.Handler):
    """Says that a library had something to say, where and how bad, and not what: that may quote a person."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        structlog.get_logger(module=record.name).log(
            max(record.levelno, logging.WARNING),
            "library",
            place=f"{record.filename}:{record.lineno}",
            # A message without arguments may have its words filled in already.
            words=str(record.msg)[:100] if record.args else "",
            error=error,
        )
