"""Handlers of openapi/catalogue/tvshows.yaml."""

from typing import Any, Unpack

from marquee.catalogue.embeddings.kinds import Source
from marquee.catalogue.files.models import MediaFile
from marquee.catalogue.files.service import files_of
from marquee.catalogue.genres.service import genres_with
from marquee.catalogue.metadata import extras, refreshing
from marquee.catalogue.people.credits import credits_of
from marquee.catalogue.people.models import Credit
from marquee.catalogue.translations.languages import Asked, wanted
from marquee.catalogue.tvshows import details, episodes, service
from marquee.catalogue.tvshows.models import Episode, Season, TVShow
from marquee.db import Rows, find, rows
from marquee.job_runs import accepted
from marquee.viewer import Viewer
from marquee.web.paging import NumberedPage, numbered


def list_tvshows(
    user: Viewer,
    page: int,
    page_size: int,
    sort: str,
    order: str,
    **asked: Unpack[service.Filters],
) -> NumberedPage:
    listed = service.listed(sort, order, user.id, **asked)
    return numbered(**listed, page=page, page_size=page_size)


def search_tvshows_by_title(
    user: Viewer, query: str, page: int, page_size: int, **asked: Unpack[Asked]
) -> NumberedPage:
    return numbered(**service.LISTING.matching(query, **asked), page=page, page_size=page_size)


def list_recently_added_tvshows(
    user: Viewer, page: int, page_size: int, **asked: Unpack[Asked]
) -> NumberedPage:
    return numbered(**service.listed("added", "desc", **asked), page=page, page_size=page_size)


def list_tvshow_genres(user: Viewer) -> dict[str, Rows]:
    return {"genres": genres_with("tvshow")}


def get_tvshow(user: Viewer, tvshow_id: int, **asked: Unpack[Asked]) -> dict[str, Any]:
    return details.detailed(user, tvshow_id, wanted(**asked))


def list_tvshow_seasons(user: Viewer, tvshow_id: int) -> dict[str, Rows]:
    show = find(TVShow.visible_to(user), tvshow_id)
    return {"seasons": rows(episodes.SEASONS, {"tvshow_id": show.id})}


def list_tvshow_episodes(
    user: Viewer, tvshow_id: int, page: int, page_size: int, season_number: int | None = None
) -> dict[str, Any]:
    show = find(TVShow.visible_to(user), tvshow_id)
    query, counted = episodes.of_show(one_season=season_number is not None)
    values = {"tvshow_id": show.id, "season_number": season_number}
    found = numbered(
        query, values, counted=counted, shown=episodes.ALONE, page=page, page_size=page_size
    )
    return vars(found) | {"total_pages": found.total_pages} | episodes.by_season(show)


def list_tvshow_cast(user: Viewer, tvshow_id: int, page: int, page_size: int) -> NumberedPage:
    show = find(TVShow.visible_to(user), tvshow_id)
    listed = credits_of(Credit.tvshow_id, show.id, "cast")
    return numbered(**listed, page=page, page_size=page_size)


def list_tvshow_crew(user: Viewer, tvshow_id: int, page: int, page_size: int) -> NumberedPage:
    show = find(TVShow.visible_to(user), tvshow_id)
    listed = credits_of(Credit.tvshow_id, show.id, "crew")
    return numbered(**listed, page=page, page_size=page_size)


def list_genres_of_tvshow(user: Viewer, tvshow_id: int) -> dict[str, Rows]:
    return {"genres": details.genres(find(TVShow.visible_to(user), tvshow_id))}


def list_tvshow_networks(user: Viewer, tvshow_id: int) -> dict[str, Rows]:
    return {"networks": details.networks(find(TVShow.visible_to(user), tvshow_id))}


def list_recent_episodes(user: Viewer, days: int, page: int, page_size: int) -> NumberedPage:
    return _aired(episodes.last(days), page, page_size, newest_first=True)


def list_upcoming_episodes(user: Viewer, days: int, page: int, page_size: int) -> NumberedPage:
    return _aired(episodes.coming(days), page, page_size, newest_first=False)


def _aired(
    between: dict[str, Any], page: int, page_size: int, *, newest_first: bool
) -> NumberedPage:
    query, counted = episodes.aired(descending=newest_first)
    shown = episodes.WITH_SHOW
    return numbered(query, between, counted=counted, shown=shown, page=page, page_size=page_size)


def get_season(user: Viewer, season_id: int) -> Season:
    return find(Season.visible_to(user), season_id)


def list_season_episodes(user: Viewer, season_id: int, page: int, page_size: int) -> NumberedPage:
    season = find(Season.visible_to(user), season_id)
    query, counted = episodes.of_season()
    values = {"season_id": season.id}
    return numbered(
        query, values, counted=counted, shown=episodes.ALONE, page=page, page_size=page_size
    )


def get_episode(user: Viewer, episode_id: int) -> Episode:
    return find(Episode.visible_to(user), episode_id)


def list_episode_files(user: Viewer, episode_id: int) -> dict[str, Rows]:
    episode = find(Episode.visible_to(user), episode_id)
    return {"files": files_of(user, MediaFile.episode_id, episode.id)}


def list_tvshow_images(
    user: Viewer, tvshow_id: int, image_type: str | None = None
) -> extras.Answer:
    return extras.images(user, TVShow, tvshow_id, image_type)


def get_tvshow_external_ids(user: Viewer, tvshow_id: int) -> extras.Answer:
    return extras.external_ids(user, TVShow, tvshow_id)


def list_tvshow_watch_providers(
    user: Viewer, tvshow_id: int, country: str | None = None
) -> extras.Answer:
    return extras.watch_providers(user, TVShow, tvshow_id, country)


def refresh_tvshow_metadata(user: Viewer, tvshow_id: int) -> tuple[dict[str, Any], int]:
    title = find(TVShow.visible_to(user), tvshow_id)
    run = refreshing.start(user, tvshow_id=title.id)
    return accepted(run, f"{title.title[:150]} is brought up to date.")


def list_similar_tvshows(
    user: Viewer, tvshow_id: int, limit: int, source: Source
) -> dict[str, Any]:
    from marquee.catalogue.embeddings.similar import similar_to  # noqa: PLC0415 - NumPy's 12 MB

    return similar_to(find(TVShow.visible_to(user), tvshow_id), limit, source)
