"""Structured logs: one JSON object per line on stdout, for Loci's events and library logs.

Exception messages are never logged, since they may quote a secret or a memory; type and location are logged instead.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Final

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

_STAMP: Final = structlog.processors.TimeStamper(fmt="iso", utc=True)


def configure(level: str) -> None:
    """Set the minimum log level (debug, info, warning, error); for libraries it is at least warning."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _STAMP,
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(),
        cache_logger_on_first_use=True,
    )
    _configure_libraries(max(number, logging.WARNING))


def _configure_libraries(level: int) -> None:
    """Set up logging of libraries that use the standard library, such as kopf and uvicorn."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name, _STAMP],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _name_exception, _json],
    )
    logging.raiseExceptions = False  # logging prints the arguments of a line that cannot be formatted
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level, force=True)


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
