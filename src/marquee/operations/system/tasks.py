"""What the worker does for the server itself, by the clock."""

from datetime import UTC, datetime

import procrastinate
import structlog

from marquee.db import transaction
from marquee.operations.system.cleanup import clean_up

log = structlog.get_logger("marquee")


def register(app: procrastinate.App) -> None:
    """Add the tasks to a queue."""

    @app.periodic(cron="17 * * * *")
    @app.task(queueing_lock="clean-up", name="clean-up")
    def clean(timestamp: int) -> dict[str, int]:
        with transaction():
            cleaned = clean_up()
        log.info("cleaned_up", due=datetime.fromtimestamp(timestamp, UTC).isoformat(), **cleaned)
        return cleaned
