"""Making what was watched unwatched: here at once, on the media server in the background."""

from typing import Any

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import Episode, Season, TVShow
from marquee.db import find, missing, session
from marquee.errors import Forbidden
from marquee.identity.users.models import User
from marquee.identity.users.service import account
from marquee.viewer import Viewer
from marquee.watching.progress.models import Watch
from marquee.watching.progress.service import forget
from marquee.watching.watch_history import unplaying
from marquee.watching.watch_history.unplaying import Unwatched

Answer = dict[str, Any]


def film(viewer: Viewer, user_id: int, movie_id: int) -> Answer:
    """Forget that a user has watched a film. Raises Forbidden and NotFound."""
    owner = _owner(viewer, user_id)
    movie = find(Movie.visible_to(viewer), movie_id)
    forget((Watch.user_id == owner.id) & (Watch.movie_id == movie.id))
    unplaying.note(owner, Unwatched(movie_id=movie.id))
    return {"success": True, "message": f"{movie.title} is unwatched."}


def episode(viewer: Viewer, user_id: int, episode_id: int) -> Answer:
    """Forget that a user has watched an episode. Raises Forbidden and NotFound."""
    owner = _owner(viewer, user_id)
    found = find(Episode.visible_to(viewer), episode_id)
    forget((Watch.user_id == owner.id) & (Watch.episode_id == found.id))
    unplaying.note(
        owner, Unwatched(None, found.tvshow_id, found.season_number, found.episode_number)
    )
    return {"success": True, "message": f"{found.title} is unwatched."}


def season(viewer: Viewer, user_id: int, tvshow_id: int, season_number: int) -> Answer:
    """Forget what a user has watched of a season. Raises Forbidden and NotFound."""
    owner = _owner(viewer, user_id)
    show = find(TVShow.visible_to(viewer), tvshow_id)
    of_show = Season.visible_to(viewer).where(Season.tvshow_id == show.id)
    found = session.scalar(of_show.where(Season.season_number == season_number))
    if found is None:
        raise missing(Season, season_number)
    episodes = Episode.visible_to(viewer).where(Episode.season_id == found.id)
    mine = (Watch.user_id == owner.id) & (Watch.tvshow_id == show.id)
    count = forget(mine & Watch.episode_id.in_(episodes.with_only_columns(Episode.id)))
    unplaying.note(owner, Unwatched(tvshow_id=show.id, season_number=season_number))
    return _several(count, f"season {season_number} of {show.title}")


def series(viewer: Viewer, user_id: int, tvshow_id: int) -> Answer:
    """Forget what a user has watched of a series. Raises Forbidden and NotFound."""
    owner = _owner(viewer, user_id)
    show = find(TVShow.visible_to(viewer), tvshow_id)
    count = forget((Watch.user_id == owner.id) & (Watch.tvshow_id == show.id))
    unplaying.note(owner, Unwatched(tvshow_id=show.id))
    return _several(count, show.title)


def _owner(viewer: Viewer, user_id: int) -> User:
    """Whose history it is: anybody's for administrators, one's own for who may manage it."""
    owner = account(viewer, user_id, permission="users:write")
    if not (viewer.may("users:write") or owner.can_manage_watch_history):
        raise Forbidden("You may not manage your watch history.")
    return owner


def _several(count: int, what: str) -> Answer:
    episodes = "1 episode" if count == 1 else f"{count} episodes"
    return {"success": True, "message": f"{episodes} of {what} unwatched.", "episodes": count}
