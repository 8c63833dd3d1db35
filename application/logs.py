"""日志 Structured logs without personal data: one JSON line an event (M1)."""

import logging
import sys

import structlog


def configure_logs(level: int = logging.INFO) -> None:
    """Send everything that is logged to standard error, as JSON in one line.

    JSON escapes line breaks and control characters, so nobody forges a line (R49).
    """
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx2", "procrastinate"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
