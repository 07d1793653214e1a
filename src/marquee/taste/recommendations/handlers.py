"""Handlers of openapi/taste/recommendations.yaml."""

from typing import Any, Unpack

from marquee.catalogue.translations.languages import Asked, wanted
from marquee.identity.users import account_page, statistics
from marquee.identity.users.service import account
from marquee.job_runs import accepted
from marquee.taste.recommendations import insights, listing, summaries, tasks
from marquee.taste.recommendations.quiz import asking, compatibility, showing
from marquee.taste.recommendations.runs import Kind
from marquee.viewer import Viewer
from marquee.web.paging import CursorPage, by_cursor

Answer = dict[str, Any]
DEPRECATED = {
    "Deprecation": "@1795305600",
    "Link": f'<{compatibility.PATH}>; rel="successor-version"',
}
"""Since 22 November 2026 (RFC 9745), and what to call in place of it (RFC 8288)."""

account_page.add("recommendations", summaries.latest)
statistics.add("recommendations_count", listing.SELECTED_COUNT)


def list_user_recommendations(
    user: Viewer,
    user_id: int,
    media_type: Kind,
    run_id: int | None = None,
    selected: bool | None = None,  # noqa: FBT001 - a query parameter
    **asked: Unpack[Asked],
) -> Answer:
    owner = account(user, user_id, permission="users:read")
    return listing.listed(owner, media_type, run_id, wanted(**asked), selected=selected)


def create_user_recommendations(user: Viewer, user_id: int) -> tuple[Answer, int]:
    owner = account(user, user_id, permission="users:write")
    return accepted(tasks.ask(user, owner), "Recommendations are being made.")


def list_user_recommendation_history(
    user: Viewer, user_id: int, limit: int, cursor: str | None = None
) -> CursorPage:
    owner = account(user, user_id, permission="users:read")
    return by_cursor(
        listing.HISTORY,
        {"user_id": owner.id},
        key=listing.HISTORY_KEY,
        name=f"recommendation_runs:{owner.id}",
        descending=True,
        limit=limit,
        cursor=cursor,
    )


def get_recommendation_insights(
    user: Viewer, user_id: int, movie_id: int, run_id: int | None = None
) -> Answer:
    owner = account(user, user_id, permission="users:read")
    return insights.insights(owner, "movie", movie_id, run_id)


def get_series_insights(
    user: Viewer, user_id: int, tvshow_id: int, run_id: int | None = None
) -> Answer:
    owner = account(user, user_id, permission="users:read")
    return insights.insights(owner, "tvshow", tvshow_id, run_id)


def create_recommendation(user: Viewer, body: Answer) -> tuple[Answer, int]:
    return showing.shown(user, asking.ask(user, body).slug), 201


def get_recommendation(user: Viewer, recommendation_id: str) -> Answer:
    return showing.shown(user, recommendation_id)


def update_recommendation(user: Viewer, recommendation_id: str, body: Answer) -> Answer:
    asking.share(user, recommendation_id, is_shared=body["is_shared"])
    return showing.shown(user, recommendation_id)


def create_recommendation_feedback(
    user: Viewer, recommendation_id: str, body: Answer
) -> tuple[Answer, int]:
    asking.say(user, recommendation_id, body["kind"], body.get("movie_id"))
    return {"status": "recorded"}, 201


def request_more_picks(user: Viewer, recommendation_id: str) -> tuple[Answer, int]:
    run = asking.want_more(user, recommendation_id)
    return accepted(run, "Further films are being looked for.")


def describe_movie_recommendation() -> tuple[Answer, int, dict[str, str]]:
    return compatibility.DESCRIPTION, 200, DEPRECATED


def create_movie_recommendation_sync(
    user: Viewer, body: Answer
) -> tuple[Answer, int, dict[str, str]]:
    made = compatibility.recommend_now(user, body)
    return showing.shown(user, made.slug), 200, DEPRECATED


def list_more_tmdb_picks(user: Viewer, body: Answer) -> tuple[Answer, int, dict[str, str]]:
    found = compatibility.more_of_tmdb(user, body)
    return {"page": body["page"], "movies": found}, 200, DEPRECATED
