"""One server process: its logs, its database, its application."""

import ctypes
import gc
from contextlib import suppress

from marquee import db, notices, settings
from marquee.web import logs
from marquee.web.app import App, create_app
from marquee.web.contract import Document

M_ARENA_MAX, ARENAS = -8, 2


def application(document: Document | None = None) -> App:
    """The application of one server process: what uvicorn calls in each."""
    # What the start makes is made to stay: to look for garbage among it would only take time.
    gc.disable()
    # Each thread would have a heap of its own in the GNU C library, where large bodies leave holes.
    with suppress(AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)
    values = settings.current()
    logs.configure(values.log_level)
    engine = db.engine_for(
        values.database_url,
        pool_size=values.marquee_threads,
        statement_timeout=values.database_timeout,
    )
    db.connect(engine)
    app = create_app(values, document)
    notices.listen(engine)
    # What the start has made stays: no collection need walk through the contract's plans again.
    gc.collect()
    gc.freeze()
    gc.enable()
    return app
