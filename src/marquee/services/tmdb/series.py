"""Reading what TMDB says of series."""

from marquee.services.fields import Fields
from marquee.services.tmdb.reading import (
    COUNTRY,
    IMAGE,
    LARGEST_ID,
    LONGEST_CODE,
    LONGEST_NAME,
    LONGEST_SEASON,
    LONGEST_TEXT,
    LONGEST_TITLE,
    NOTHING,
    cast_member_of,
    company_of,
    crew_member_of,
    minutes_of,
    title_of,
    whole_of,
)
from marquee.services.tmdb.shapes import (
    TmdbCrewMember,
    TmdbEpisode,
    TmdbSeason,
    TmdbSeasonHead,
    TmdbShow,
    TmdbShowDetails,
)

APPENDED = (
    "content_ratings,external_ids,credits,keywords,videos,images,watch/providers,translations"
)
LARGEST_NUMBER = 2**15 - 1
"""Of seasons and episodes: what a small integer holds."""


def show_of(fields: Fields) -> TmdbShow:
    """A series as lists show it."""
    return {**title_of(fields, "name"), "first_air_date": fields.day("first_air_date")}


def details_of(fields: Fields) -> TmdbShowDetails:
    """A series with all that was appended. Who created it leads the crew, with the job Creator."""
    whole = whole_of(fields, "name", _certifications(fields.inner("content_ratings")))
    creators = fields.each("created_by", _creator_of)
    return {
        **show_of(fields),
        **whole,
        "crew": [*creators, *whole["crew"]],
        "genre_ids": [genre["id"] for genre in whole["genres"]],
        "tvdb_id": whole["external_ids"]["tvdb_id"],
        "last_air_date": fields.day("last_air_date"),
        "show_type": fields.text("type", LONGEST_NAME),
        "in_production": fields.flag("in_production"),
        "episode_runtime_minutes": _episode_minutes(fields),
        "networks": [company_of(each) for each in fields.inners("networks")],
        "seasons": fields.each("seasons", season_head_of),
    }


def season_head_of(fields: Fields) -> TmdbSeasonHead:
    """A season as its series lists it."""
    number = fields.count("season_number", LARGEST_NUMBER)
    usual = f"Season {number}" if number else "Specials"
    return {
        "id": fields.identifier("id", LARGEST_ID),
        "season_number": number,
        "name": fields.text("name", LONGEST_SEASON) or usual,
        "overview": fields.text("overview", LONGEST_TEXT),
        "poster_path": fields.matching("poster_path", IMAGE),
        "air_date": fields.day("air_date"),
        "episode_count": fields.count("episode_count", LARGEST_ID),
        "vote_average": fields.number("vote_average", largest=10),
    }


def season_of(fields: Fields) -> TmdbSeason:
    """A season with its episodes, each number once."""
    episodes = {each["episode_number"]: each for each in fields.each("episodes", episode_of)}
    return {
        **season_head_of(fields),
        "episode_count": len(episodes),
        "episodes": [episodes[number] for number in sorted(episodes)],
    }


def episode_of(fields: Fields) -> TmdbEpisode:
    """An episode, with those who worked on it where it has them."""
    number = fields.count("episode_number", LARGEST_NUMBER)
    return {
        "id": fields.identifier("id", LARGEST_ID),
        "season_number": fields.count("season_number", LARGEST_NUMBER),
        "episode_number": number,
        "title": fields.text("name", LONGEST_TITLE) or f"Episode {number}",
        "overview": fields.text("overview", LONGEST_TEXT),
        "air_date": fields.day("air_date"),
        "runtime_minutes": minutes_of(fields),
        "vote_average": fields.number("vote_average", largest=10),
        "vote_count": fields.count("vote_count", LARGEST_ID),
        "still_path": fields.matching("still_path", IMAGE),
        "production_code": fields.text("production_code", LONGEST_CODE) or None,
        "crew": fields.each("crew", crew_member_of),
        "guest_stars": fields.each("guest_stars", cast_member_of),
    }


def _creator_of(fields: Fields) -> TmdbCrewMember:
    return {
        "id": fields.identifier("id", LARGEST_ID),
        "name": fields.some_text("name", LONGEST_NAME),
        "profile_path": fields.matching("profile_path", IMAGE),
        "known_for_department": None,
        "popularity": 0.0,
        "job": "Creator",
        "department": "Creator",
    }


def _episode_minutes(fields: Fields) -> int | None:
    """The usual length; new series have only that of the latest episode."""
    usual = fields.identifiers("episode_run_time")
    latest = fields.inner("last_episode_to_air") or NOTHING
    return usual[0] if usual else minutes_of(latest)


def _certifications(fields: Fields | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for rating in fields.inners("results") if fields else []:
        code, text = rating.matching("iso_3166_1", COUNTRY), rating.text("rating", LONGEST_NAME)
        if code and text:
            found.setdefault(code, text)
    return found
