"""Reading what TMDB says of films and series alike."""

import re

from marquee.services.fields import Fields
from marquee.services.tmdb.shapes import (
    TmdbCastMember,
    TmdbCollection,
    TmdbCompany,
    TmdbCrewMember,
    TmdbExternalIds,
    TmdbGenre,
    TmdbImage,
    TmdbProvider,
    TmdbTitle,
    TmdbTranslation,
    TmdbWhole,
)

LARGEST_ID = 2**31 - 1
LONGEST_TITLE, LONGEST_TEXT, LONGEST_NAME = 500, 10_000, 200
LONGEST_SEASON, LONGEST_LABEL, LONGEST_CODE = 300, 100, 50
"""In characters; what is longer is cut."""
MOST_IMAGES = 100
"""Of each type; the best come first."""
MOST_PIXELS = LONGEST_MINUTES = 100_000

IMAGE = re.compile(r"/[A-Za-z0-9_-]{1,80}\.(?:jpg|jpeg|png|svg|webp)")
IMDB_ID = re.compile(r"tt[0-9]{5,12}")
WIKIDATA_ID = re.compile(r"Q[1-9][0-9]{0,12}")
HANDLE = re.compile(r"[A-Za-z0-9._-]{1,100}")
LANGUAGE = re.compile(r"[a-z]{2,3}")
COUNTRY = re.compile(r"[A-Z]{2}")
WEB = re.compile(r"https?://[^\s<>\"]{1,900}")
VIDEO_KEY = re.compile(r"[A-Za-z0-9_-]{6,20}")
NOTHING = Fields({}, "nothing")

TRAILER = "https://www.youtube.com/watch?v="
PART_TYPES = (("posters", "poster"), ("backdrops", "backdrop"), ("logos", "logo"))
PROVIDER_KINDS = ("flatrate", "free", "ads", "rent", "buy")


def title_of(fields: Fields, title_name: str) -> TmdbTitle:
    """What a list shows of a film (`title`) or a series (`name`)."""
    title = fields.some_text(title_name, LONGEST_TITLE)
    return {
        "id": fields.identifier("id", LARGEST_ID),
        "title": title,
        "original_title": fields.text(f"original_{title_name}", LONGEST_TITLE) or title,
        "original_language": fields.matching("original_language", LANGUAGE),
        "overview": fields.text("overview", LONGEST_TEXT),
        "popularity": fields.number("popularity", largest=1e9),
        "vote_average": fields.number("vote_average", largest=10),
        "vote_count": fields.count("vote_count"),
        "genre_ids": fields.identifiers("genre_ids"),
        "poster_path": fields.matching("poster_path", IMAGE),
        "backdrop_path": fields.matching("backdrop_path", IMAGE),
        "adult": fields.flag("adult"),
    }


def whole_of(fields: Fields, title_name: str, certifications: dict[str, str]) -> TmdbWhole:
    """What details have beside; a film's title is a `title`, that of a series a `name`."""
    genres: list[TmdbGenre] = [
        {"id": genre.identifier("id"), "name": genre.some_text("name", LONGEST_NAME)}
        for genre in fields.inners("genres")
    ]
    external = _external_ids(fields.inner("external_ids") or NOTHING)
    imdb_id = fields.matching("imdb_id", IMDB_ID) or external["imdb_id"]
    credits_ = fields.inner("credits") or NOTHING
    keywords = fields.inner("keywords") or NOTHING
    return {
        "genres": genres,
        "tagline": fields.text("tagline", LONGEST_TITLE),
        "status": fields.text("status", LONGEST_NAME),
        "homepage": fields.matching("homepage", WEB),
        "imdb_id": imdb_id,
        "wikidata_id": external["wikidata_id"],
        "external_ids": {**external, "imdb_id": imdb_id},
        "studios": [company_of(each) for each in fields.inners("production_companies")],
        "production_countries": _codes(fields, "production_countries", "iso_3166_1", COUNTRY),
        "spoken_languages": _codes(fields, "spoken_languages", "iso_639_1", LANGUAGE),
        "country_names": _names(fields, "production_countries", "name"),
        "language_names": _names(fields, "spoken_languages", "english_name"),
        "certifications": certifications,
        # Films have `keywords` within the keywords, series have `results`.
        "keywords": [
            name
            for part in ("keywords", "results")
            for name in keywords.each(part, lambda each: each.some_text("name", LONGEST_NAME))
        ],
        "cast": credits_.each("cast", cast_member_of),
        "crew": credits_.each("crew", crew_member_of),
        "trailer_url": _trailer(fields.inner("videos") or NOTHING),
        "images": _images(fields.inner("images") or NOTHING),
        "watch_providers": _providers(fields.inner("watch/providers") or NOTHING),
        "translations": _translations(fields.inner("translations") or NOTHING, title_name),
    }


def collection_of(fields: Fields) -> TmdbCollection:
    """A collection as its films name it."""
    return {
        "id": fields.identifier("id", LARGEST_ID),
        "name": fields.some_text("name", LONGEST_TITLE),
        "poster_path": fields.matching("poster_path", IMAGE),
        "backdrop_path": fields.matching("backdrop_path", IMAGE),
    }


def minutes_of(fields: Fields) -> int | None:
    """A running time; what nobody sits through is a mistake."""
    minutes = fields.count("runtime")
    return minutes if 1 <= minutes <= LONGEST_MINUTES else None


def company_of(fields: Fields) -> TmdbCompany:
    """A studio or a network."""
    return {
        "id": fields.identifier("id", LARGEST_ID),
        "name": fields.some_text("name", LONGEST_LABEL),
        "logo_path": fields.matching("logo_path", IMAGE),
        "origin_country": fields.matching("origin_country", COUNTRY),
    }


def cast_member_of(fields: Fields) -> TmdbCastMember:
    """Somebody who played, in a title or as a guest."""
    return {
        "id": fields.identifier("id", LARGEST_ID),
        "name": fields.some_text("name", LONGEST_NAME),
        "profile_path": fields.matching("profile_path", IMAGE),
        "known_for_department": fields.text("known_for_department", LONGEST_LABEL) or None,
        "popularity": fields.number("popularity", largest=1e6),
        "character": fields.text("character", LONGEST_TITLE),
        "order": fields.count("order", LARGEST_ID),
    }


def crew_member_of(fields: Fields) -> TmdbCrewMember:
    """Somebody who had a job."""
    return {
        "id": fields.identifier("id", LARGEST_ID),
        "name": fields.some_text("name", LONGEST_NAME),
        "profile_path": fields.matching("profile_path", IMAGE),
        "known_for_department": fields.text("known_for_department", LONGEST_LABEL) or None,
        "popularity": fields.number("popularity", largest=1e6),
        "job": fields.some_text("job", LONGEST_LABEL),
        "department": fields.text("department", LONGEST_LABEL) or None,
    }


def _external_ids(fields: Fields) -> TmdbExternalIds:
    return {
        "imdb_id": fields.matching("imdb_id", IMDB_ID),
        "wikidata_id": fields.matching("wikidata_id", WIKIDATA_ID),
        "facebook_id": fields.matching("facebook_id", HANDLE),
        "instagram_id": fields.matching("instagram_id", HANDLE),
        "twitter_id": fields.matching("twitter_id", HANDLE),
        "tvdb_id": fields.known_count("tvdb_id", LARGEST_ID) or None,
    }


def _codes(fields: Fields, name: str, code: str, form: re.Pattern[str]) -> list[str]:
    codes = [item.matching(code, form) for item in fields.inners(name)]
    return [found for found in codes if found]


def _names(fields: Fields, name: str, inner: str) -> list[str]:
    names = [item.text(inner, LONGEST_NAME) for item in fields.inners(name)]
    return [found for found in dict.fromkeys(names) if found]


def _trailer(fields: Fields) -> str | None:
    """The first trailer on YouTube, official ones before others."""

    def read(video: Fields) -> tuple[bool, str] | None:
        key = video.matching("key", VIDEO_KEY)
        site, kind = video.text("site", LONGEST_NAME), video.text("type", LONGEST_NAME)
        if not key or (site, kind) != ("YouTube", "Trailer"):
            return None
        return not video.flag("official"), TRAILER + key

    trailers = [found for found in fields.each("results", read) if found]
    return min(trailers, key=lambda trailer: trailer[0])[1] if trailers else None


def _images(fields: Fields) -> list[TmdbImage]:
    images: list[TmdbImage] = []
    for name, image_type in PART_TYPES:

        def read(image: Fields, image_type: str = image_type) -> TmdbImage | None:
            path = image.matching("file_path", IMAGE)
            return path and {  # type: ignore[return-value]
                "image_type": image_type,
                "path": path,
                "width": image.count("width", MOST_PIXELS),
                "height": image.count("height", MOST_PIXELS),
                "language": image.matching("iso_639_1", LANGUAGE),
                "vote_average": image.number("vote_average", largest=10),
                "vote_count": image.count("vote_count"),
            }

        images += [found for found in fields.each(name, read) if found][:MOST_IMAGES]
    return images


def _providers(fields: Fields) -> list[TmdbProvider]:
    found: list[TmdbProvider] = []
    for country, offers in fields.entries("results"):
        if not COUNTRY.fullmatch(country):
            continue
        for kind in PROVIDER_KINDS:

            def read(offer: Fields, country: str = country, kind: str = kind) -> TmdbProvider:
                return {
                    "country": country,
                    "kind": kind,  # type: ignore[typeddict-item]
                    "provider_id": offer.identifier("provider_id", LARGEST_ID),
                    "name": offer.some_text("provider_name", LONGEST_NAME),
                    "logo_path": offer.matching("logo_path", IMAGE),
                }

            found += offers.each(kind, read)
    return found


def _translations(fields: Fields, title_name: str) -> list[TmdbTranslation]:
    def read(translation: Fields) -> TmdbTranslation | None:
        language = translation.matching("iso_639_1", LANGUAGE)
        country = translation.matching("iso_3166_1", COUNTRY)
        data = translation.inner("data") or NOTHING
        title = data.text(title_name, LONGEST_TITLE)
        overview, tagline = data.text("overview", LONGEST_TEXT), data.text("tagline", LONGEST_TITLE)
        if not language or not country or not (title or overview or tagline):
            return None
        return {
            "language": language,
            "country": country,
            "title": title,
            "overview": overview,
            "tagline": tagline,
        }

    return [found for found in fields.each("translations", read) if found]
