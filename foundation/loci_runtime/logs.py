"""Structured logs: one JSON object per line on stdout, for Loci's events and library logs.

Exception messages are never logged, since they may quote a secret or a memory; type and location are logged instead.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, get_args

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

from loci_runtime.settings import LogLevel

_OWN: Final = "loci"
"""The standard library's logger whose level is that of our own events: it can change while loggers are in use."""
_NUMBERS: Final = logging.getLevelNamesMapping()
_LOOK_SECONDS: Final = 2.0
_STAMP: Final = structlog.processors.TimeStamper(fmt="iso", utc=True)


def configure(level: str) -> None:
    """Log from `level` (debug, info, warning, error) upwards; libraries from warning upwards at most."""
    structlog.configure(
        processors=[
            _drop_below_level,
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _STAMP,
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=structlog.BytesLoggerFactory(),
        cache_logger_on_first_use=True,
    )
    _configure_libraries()
    set_level(level)


def set_level(level: str) -> None:
    """Change the minimum level of a process that runs."""
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.getLogger(_OWN).setLevel(number)
    logging.getLogger().setLevel(max(number, logging.WARNING))


def read_level(path: Path) -> str | None:
    """The level that a file says; None when it cannot be read or says none."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return text if text in get_args(LogLevel) else None


async def levels(path: Path, seconds: float = _LOOK_SECONDS) -> AsyncIterator[str]:
    """The level that a file says now, then each time that it says another; looks every so many seconds, without end."""
    known: str | None = None
    while True:
        level = read_level(path)
        if level is not None and level != known:
            known = level
            yield level
        await asyncio.sleep(seconds)


def _drop_below_level(_: WrappedLogger, method: str, event: EventDict) -> EventDict:
    if not logging.getLogger(_OWN).isEnabledFor(_NUMBERS[method.upper()]):
        raise structlog.DropEvent
    return event


def _configure_libraries() -> None:
    """Set up logging of libraries that use the standard library, such as kopf and uvicorn."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name, _STAMP],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _name_exception, _json],
    )
    logging.raiseExceptions = False  # logging prints the arguments of a line that cannot be formatted
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], force=True)


def _name_exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace an exception by its type and location; its message may quote a secret or a memory.

    Messages of asyncio are cut before the arguments and exceptions of the failed callback or task.
    """
    if event.get("logger") == "asyncio":
        event["event"] = str(event["event"]).partition("\n")[0].partition("(")[0]
    information = event.pop("exc_info", None)
    error = information[1] if isinstance(information, tuple) else information
    if isinstance(error, BaseException):
        event.update(error=type(error).__name__, where=place_of(error))
    return event


def _json(_: WrappedLogger, __: str, event: EventDict) -> str:
    return orjson.dumps(event, default=_name_of_type).decode()


def _name_of_type(value: Any) -> str:
    return type(value).__name__


def place_of(error: BaseException) -> str:
    """Function and line number that raised an exception."""
    trace, place = error.__traceback__, "unknown"
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
