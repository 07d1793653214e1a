"""Where the pictures of titles are, under this server."""

from sqlalchemy import ColumnElement, Text, cast, func

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow

IMAGES = "/api/v1/images"
POSTERS = f"{IMAGES}/poster/w342/"


def poster_url(title: type[Movie | TVShow]) -> ColumnElement[str]:
    """The path of a title's poster: TMDB's, else the one that is drawn, `movies-42.webp`."""
    drawn = func.concat(title.__tablename__, "-", cast(title.id, Text), ".webp")
    path = func.coalesce(func.ltrim(title.poster_path, "/"), drawn)
    return func.concat(POSTERS, path).label("poster_url")


def image_url(image_type: str, path: str) -> str:
    """The path of a picture in its full size. `path` is TMDB's, which begins with a slash."""
    return f"{IMAGES}/{image_type}/original{path}"
