"""The pictures that TMDB names, from its image server.

What comes out is a whole JPEG, PNG or WebP of bounded size, as its bytes say and whatever it was
declared to be.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from io import BytesIO
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import structlog
from structlog.typing import FilteringBoundLogger

from marquee.late import late
from marquee.services.fields import Malformed
from marquee.services.guard import names_private
from marquee.services.http import NOT_MODIFIED, Timing, Upstream, UpstreamNotFound
from marquee.services.wire import Answer

if TYPE_CHECKING:
    from PIL import Image
else:
    Image = late("PIL.Image")

BASE_URL = "https://image.tmdb.org/t/p"
LARGEST = 10 * 1024 * 1024
"""Bytes of one picture."""
MOST_PIXELS = 100_000_000
"""Of one picture, as its header says: who unfolds it shall not be surprised."""
MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
SIZE = re.compile(r"original|[wh][1-9][0-9]{1,3}", re.ASCII)
NAME = re.compile(r"[A-Za-z0-9_-]{1,80}\.(?:jpg|jpeg|png|webp)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Picture:
    """The bytes of a picture, and what they are."""

    data: bytes
    media_type: str


class Pictures:
    """The image server. `timeout` is in seconds."""

    def __init__(
        self,
        base_url: str = BASE_URL,
        *,
        timeout: float = 5.0,
        timing: Timing | None = None,
        log: FilteringBoundLogger | None = None,
    ) -> None:
        """Take an address. Where it names a private network by itself, that is meant; a name that
        only leads into one is refused.
        """
        self._upstream = Upstream(
            "pictures",
            base_url,
            connect_timeout=min(3.0, timeout),
            read_timeout=timeout,
            total_timeout=2 * timeout,
            max_bytes=LARGEST,
            attempts=2,
            redirects=0,
            public_only=not names_private(urlsplit(base_url).hostname or ""),
            asked_by_strangers=True,
            headers={"Accept": "image/jpeg, image/png, image/webp"},
            timing=timing or Timing(),
            log=log or structlog.get_logger(),
        )

    def fetch(
        self, size: str, name: str, since: datetime | None = None
    ) -> Picture | Literal["unchanged"] | None:
        """A picture by its size, `w342`, and its file name; None if there is none.

        `since` is when it was fetched before: perhaps it is "unchanged". Raises Unavailable or
        TimedOut when the server does not serve, or serves no such picture.
        """
        if not SIZE.fullmatch(size) or not NAME.fullmatch(name):
            return None
        headers = {"If-Modified-Since": format_datetime(since, usegmt=True)} if since else {}
        try:
            return self._upstream.fetch(f"/{size}/{name}", headers=headers, read=_read)
        except UpstreamNotFound:
            return None


def _read(answer: Answer) -> Picture | Literal["unchanged"]:
    if answer.status == NOT_MODIFIED:
        return "unchanged"
    declared = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not declared.startswith("image/") and declared != "application/octet-stream":
        raise Malformed(f"{declared[:100]} is no picture")
    return Picture(answer.body, _kind(answer.body))


def _refuse_bomb(image: Image.Image) -> None:
    if image.width * image.height > MOST_PIXELS:
        raise Malformed(f"{image.width} by {image.height} pixels are too many")


def _kind(data: bytes) -> str:
    """The media type of a picture, by its bytes. Raises Malformed for what is none."""
    try:
        with Image.open(BytesIO(data), formats=tuple(MEDIA_TYPES)) as image:
            _refuse_bomb(image)
            # A second picture in a JPEG, as cameras make it, is a JPEG still.
            kind = "JPEG" if image.format == "MPO" else str(image.format)
            image.verify()
    except Malformed:
        raise
    except Exception as error:  # decoders of broken data raise what they like
        raise Malformed(f"no whole picture: {type(error).__name__}") from error
    return MEDIA_TYPES[kind]
