"""The file store: a folder of this machine, or a bucket of anything that speaks S3.

Keys are made by us: segments of letters, digits, `-`, `_` and `.`, joined by slashes. A file is
there as a whole or not at all, whoever looks and whatever breaks off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from marquee import settings
from marquee.errors import Unavailable
from marquee.late import late
from marquee.services.http import DURATION, REQUESTS
from marquee.services.wire import Failed

if TYPE_CHECKING:
    import obstore
    from obstore import exceptions
    from obstore import store as stores
    from structlog.typing import FilteringBoundLogger

    from marquee.services import circuit
else:
    circuit, obstore = late("marquee.services.circuit"), late("obstore")
    exceptions, stores = late("obstore.exceptions"), late("obstore.store")

UPSTREAM = "storage"
"""The label in metrics and logs."""
KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")
RETRIES = 2
CONNECT_SECONDS = 3
RETRY_AFTER = 5
"""Seconds until a client tries again, where the circuit does not say it."""
REFUSED = "Files cannot be stored or read at the moment."


class Storage:
    """A file store, for all threads of a process.

    Every method raises Unavailable (503) when the store cannot be used; five such failures in a row
    let it alone for 30 s. Each failure is logged.
    """

    def __init__(
        self,
        store: stores.ObjectStore,
        *,
        keeps_types: bool,
        clock: Callable[[], float] = monotonic,
        log: FilteringBoundLogger | None = None,
    ) -> None:
        self._store, self._keeps_types = store, keeps_types
        self._log = log or structlog.get_logger("marquee")
        self._circuit = circuit.Circuit(UPSTREAM, clock, self._log)

    def put(self, key: str, data: bytes, content_type: str) -> None:
        """Store a file under a key, in the place of what was there.

        A bucket serves it with this media type; a folder keeps none.
        """
        attributes = {"Content-Type": content_type} if self._keeps_types else None
        with self._asking("put", key):
            obstore.put(self._store, key, data, attributes=attributes, use_multipart=False)

    def get(self, key: str) -> bytes | None:
        """The bytes of a file; None where there is none."""
        with self._asking("get", key):
            try:
                return bytes(obstore.get(self._store, key).bytes())
            except FileNotFoundError:
                return None

    def exists(self, key: str) -> bool:
        """Whether there is a file."""
        with self._asking("exists", key):
            try:
                obstore.head(self._store, key)
            except FileNotFoundError:
                return False
            return True

    def delete(self, key: str) -> None:
        """Remove a file, if it is there."""
        with self._asking("delete", key):
            try:
                obstore.delete(self._store, key)
            except FileNotFoundError:
                return

    @contextmanager
    def _asking(self, operation: str, key: str) -> Iterator[None]:
        if not KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no key of the file store.")
        outcome, started = "bug", monotonic()
        try:
            with self._circuit.guard():
                try:
                    yield
                except (exceptions.BaseError, OSError) as error:
                    raise Failed("failed", str(error)) from error
                finally:
                    DURATION.labels(UPSTREAM).observe(monotonic() - started)
            outcome = "ok"
        except Failed as failed:
            outcome = failed.outcome
            self._log.error(
                "storage_failed",
                operation=operation,
                key=key,
                outcome=outcome,
                error=str(failed).partition("\n\nDebug source")[0],
            )
            wait = round(min(failed.pause or RETRY_AFTER, circuit.PAUSE))
            raise Unavailable(REFUSED, "STORAGE_UNAVAILABLE", retry_after=max(1, wait)) from failed
        finally:
            REQUESTS.labels(UPSTREAM, outcome).inc()


def current() -> Storage:
    """The file store of this process."""
    return of(settings.current())


@cache
def of(values: settings.Settings) -> Storage:
    """The file store that these settings name; one for each, as it knows how the store fares.

    Raises Unavailable where the folder cannot be made.
    """
    if values.storage_url:
        return Storage(_bucket(values), keeps_types=True)
    # Resolved now: the store would look for a relative folder wherever the process then is.
    folder = (values.marquee_data / "files").absolute()
    try:
        return Storage(stores.LocalStore(folder, mkdir=True), keeps_types=False)
    except (exceptions.BaseError, OSError) as error:
        structlog.get_logger("marquee").exception("storage_failed", operation="open")
        raise Unavailable(REFUSED, "STORAGE_UNAVAILABLE") from error


def _bucket(values: settings.Settings) -> stores.S3Store:
    bucket, _, prefix = values.storage_url.removeprefix("s3://").partition("/")
    config: stores.S3Config = {"region": values.s3_region}
    if values.s3_endpoint_url:
        config["endpoint"] = values.s3_endpoint_url.rstrip("/")
    if values.s3_access_key_id:
        config["access_key_id"] = values.s3_access_key_id
        config["secret_access_key"] = values.s3_secret_access_key
    return stores.S3Store(
        bucket,
        prefix=prefix.strip("/") or None,
        config=config,
        client_options={
            "allow_http": values.s3_endpoint_url.startswith("http://"),
            "connect_timeout": timedelta(seconds=min(CONNECT_SECONDS, values.storage_timeout)),
            "timeout": timedelta(seconds=values.storage_timeout),
        },
        retry_config={
            "max_retries": RETRIES,
            "retry_timeout": timedelta(seconds=values.storage_timeout),
            "backoff": {
                "init_backoff": timedelta(milliseconds=200),
                "max_backoff": timedelta(seconds=1),
                "base": 2,
            },
        },
    )
