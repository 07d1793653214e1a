"""Logs: one JSON object a line, to standard error. `structlog` because it carries context across
calls.
"""

import logging
import sys

import orjson
import structlog
from structlog.typing import EventDict

from marquee.viewer import origin


def add_request_id(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Tie a line to the request that is being answered, if one is."""
    if (request_id := origin.get().request_id) is not None:
        event.setdefault("request_id", request_id)
    return event


def configure(level: str = "INFO") -> None:
    """Log as JSON from here on; also what libraries log by `logging`."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            add_request_id,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
        )
    )
    logging.basicConfig(
        level=max(logging.getLevelNamesMapping()[level], logging.WARNING),
        handlers=[handler],
        force=True,
    )
