"""What is unwatched here is so on the media server too: noted in the transaction that forgets it,
told there by the worker.
"""

from typing import NamedTuple

import structlog
from sqlalchemy import Row, select

from marquee import jobs
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import first, transaction
from marquee.errors import NotConfigured
from marquee.identity.users.models import User
from marquee.services import media_server
from marquee.services.http import UpstreamNotFound
from marquee.services.media_server import Item, Library

log = structlog.get_logger("marquee")

TASK = "unplay-on-media-server"


class Unwatched(NamedTuple):
    """A film, or a series, one season or one episode of it."""

    movie_id: int | None = None
    tvshow_id: int | None = None
    season_number: int | None = None
    episode_number: int | None = None


def note(owner: User, what: Unwatched) -> None:
    """Let the media server forget it too, if the owner has an account there and this transaction is
    committed.
    """
    try:
        kind = media_server.library().kind
    except NotConfigured:
        return
    if owner.provider == kind and owner.provider_user_id is not None:
        named = {name: value for name, value in what._asdict().items() if value is not None}
        jobs.defer(TASK, user_id=owner.id, **named)


def unplay(user_id: int, what: Unwatched) -> None:
    """Let the media server forget it. Nothing is done for who has no account there any more.

    Raises Unavailable where it is worth to come again.
    """
    try:
        server = media_server.library()
    except NotConfigured as refusal:
        log.info("not_unplayed", user=user_id, reason=refusal.message)
        return
    with transaction():
        account, title = _account(user_id, server.kind), _title(what)
    if account is None or title is None:
        log.info("not_unplayed", user=user_id, reason="The account or the title is gone.")
        return
    names = media_server.names(**title._asdict())
    try:
        found = _found(server, account, names, what)
    except UpstreamNotFound:
        log.info("not_unplayed", user=user_id, reason="The media server lacks the account.")
        return
    for item_id in sorted(found):
        server.mark_unplayed(account, item_id)
    log.info("unplayed", user=user_id, items=len(found))


def _found(server: Library, account: str, names: frozenset[str], what: Unwatched) -> set[str]:
    """The ids there of what is to be forgotten: a title may be there several times."""
    if what.movie_id is not None:
        played = server.items(account, "Movie", "IsPlayed")
        begun = server.items(account, "Movie", "IsResumable")
        return {each.id for films in (played, begun) for each in films if each.names & names}
    return {
        each.id
        for series in list(server.items(account, "Series"))
        if series.names & names
        for each in server.episodes(account, series.id, what.season_number)
        if each.is_touched and _is_of(each, what)
    }


def _is_of(episode: Item, what: Unwatched) -> bool:
    """Whether an episode is meant. A season is shown with specials that belong to it."""
    if what.season_number is not None and episode.season_number != what.season_number:
        return False
    if what.episode_number is None:
        return True
    if episode.first_number is None or episode.last_number is None:
        return False
    return episode.first_number <= what.episode_number <= episode.last_number


def _account(user_id: int, kind: str) -> str | None:
    query = select(User.provider_user_id).where(User.id == user_id, User.provider == kind)
    found = first(query)
    return found.provider_user_id if found else None


def _title(what: Unwatched) -> Row[*tuple[str | int | None, ...]] | None:
    """What others call the title."""
    if what.movie_id is not None:
        return first(select(Movie.imdb_id, Movie.tmdb_id).where(Movie.id == what.movie_id))
    ids = select(TVShow.imdb_id, TVShow.tmdb_id, TVShow.tvdb_id)
    return first(ids.where(TVShow.id == what.tvshow_id))
