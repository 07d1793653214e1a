"""Rules about pictures: TMDB's are fetched and kept, those that it lacks are drawn and kept."""

import re
from datetime import timedelta
from functools import cache
from urllib.parse import urlsplit

import structlog
from sqlalchemy import Select, bindparam, select

from marquee import clock, settings
from marquee.catalogue.images import drawing, keeping
from marquee.catalogue.images.drawing import SHAPES, Subject, drawn
from marquee.catalogue.images.keeping import Found, Image
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import checkpoint, first
from marquee.errors import Forbidden, Invalid, NotFound, Unavailable
from marquee.flights import Flights
from marquee.services.pictures import Pictures
from marquee.turns import Turns

log = structlog.get_logger("marquee")

DRAWN = re.compile(r"(movies|tvshows)-(?:([1-9][0-9]{0,15})|[0-9]+)\.webp", re.ASCII)
"""Some of these names have a number that no title has."""
TITLES: dict[str, type[Movie | TVShow]] = {"movies": Movie, "tvshows": TVShow}
FRESH = timedelta(days=7)
"""How long a fetched picture is served before TMDB is asked whether it has changed."""
HOST = "image.tmdb.org"
PROXIED = re.compile(
    r"/t/p/(original|[wh][1-9][0-9]{1,3})/([A-Za-z0-9_-]{1,80}\.(?:jpg|jpeg|png|svg|webp))"
)
DRAWN_AT_A_TIME = 2

_flights: Flights[Image] = Flights()


def is_drawn(path: str) -> bool:
    """Whether a path is that of a drawn picture: `movies-42.webp`."""
    return DRAWN.fullmatch(path) is not None


def shown(image_type: str, size: str, path: str) -> Image:
    """A picture by its path, TMDB's or that of a drawn one.

    Raises NotFound (IMAGE_NOT_FOUND), and Unavailable or TimedOut where TMDB does not serve and
    nothing is kept.
    """
    if named := DRAWN.fullmatch(path):
        if named[2] is None:
            raise _missing(path)
        return _of_title(image_type, size, named[1], int(named[2]))
    return fetched(size, path)


def proxied(url: str) -> Image:
    """A picture of TMDB by its whole address, as `shown`.

    Raises Invalid for what is no address of a picture, Forbidden (HOST_NOT_ALLOWED) for any other
    server, scheme, port, or a credential.
    """
    try:
        parts = urlsplit(url)
        place = parts.scheme, parts.netloc.lower()
    except ValueError as error:
        raise Invalid.value("query", "/url", "is no address") from error
    if not parts.scheme or not parts.netloc:
        raise Invalid.value("query", "/url", "is no address")
    if place != ("https", HOST):
        raise Forbidden(f"Pictures come from https://{HOST} alone.", "HOST_NOT_ALLOWED")
    named = PROXIED.fullmatch(parts.path)
    if named is None or parts.query or parts.fragment:
        raise Invalid.value("query", "/url", "is no address of a picture: /t/p/{size}/{file}")
    return fetched(*named.groups())


def fetched(size: str, name: str) -> Image:
    """A picture of TMDB, kept or fetched. Raises as `shown`."""
    # An SVG can carry scripts; TMDB has each of them as PNG too.
    name = name.removesuffix(".svg") + ".png" if name.endswith(".svg") else name
    source = f"tmdb/{size}/{name}"
    if image := _fresh(keeping.find(source)):
        return image
    checkpoint()
    return _flights.once(source, lambda: _fetched_anew(source, size, name))


def _fresh(found: Found | None) -> Image | None:
    is_fresh = found and clock.now() - found.fetched_at < FRESH
    return keeping.read(found) if found and is_fresh else None


def _fetched_anew(source: str, size: str, name: str) -> Image:
    # Once more: the one before us may have fetched it since we looked.
    found = keeping.find(source)
    if image := _fresh(found):
        return image
    old = keeping.read(found) if found else None
    checkpoint()
    since = found.fetched_at if found and old else None
    try:
        picture = pictures().fetch(size, name, since)
    except Unavailable as error:
        if old is None:
            raise
        log.warning("image_stale", source=source, error=str(error))
        return old
    if picture is None:
        raise _missing(name)
    if picture != "unchanged":
        return keeping.keep(source, picture.data, picture.media_type)
    if found is None or old is None:
        raise Unavailable("The picture could not be fetched.")
    keeping.renew(found)
    return old


def _of_title(image_type: str, size: str, table: str, title_id: int) -> Image:
    row = first(_facts(table), {"title_id": title_id}) if image_type in SHAPES else None
    if row is None:
        raise _missing(f"{table}-{title_id}.webp")
    subject = Subject(row.title, row.year, tuple(row.genres))
    source = f"drawn/{image_type}/{size}/{subject.seed}"
    if image := keeping.kept(source):
        return image
    checkpoint()
    return _flights.once(source, lambda: _drawn_anew(source, subject, image_type, size))


def _drawn_anew(source: str, subject: Subject, image_type: str, size: str) -> Image:
    if image := keeping.kept(source):
        return image
    checkpoint()
    with _turns().one():
        data = drawn(subject, image_type, size)
    return keeping.keep(source, data, drawing.MEDIA_TYPE)


@cache
def _facts(table: str) -> Select[str, int | None, list[str]]:
    title = TITLES[table]
    query = select(title.title, title.year, title.genres)
    return query.where(title.id == bindparam("title_id"))


@cache
def pictures() -> Pictures:
    """The image server of the settings."""
    values = settings.current()
    return Pictures(values.image_base_url, timeout=values.image_timeout)


@cache
def _turns() -> Turns:
    return Turns(
        DRAWN_AT_A_TIME,
        waiting=settings.current().marquee_threads,
        refusal="Too many pictures are being drawn.",
        retry_after=1,
    )


def _missing(name: str) -> NotFound:
    return NotFound(f"There is no picture {name}.", "IMAGE_NOT_FOUND")
