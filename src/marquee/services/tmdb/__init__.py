"""The Movie Database, API version 3 (https://developer.themoviedb.org/reference).

What comes out is checked and cleaned: ids are ids, texts have a bounded length and no NUL, an empty
date is None, scores are in their range, an unknown runtime, budget or revenue (which TMDB writes 0)
is None. A bad item in a list is skipped and logged; a bad document is a failure of TMDB.
"""

from marquee.services.tmdb.client import BASE_URL, LAST_PAGE, Tmdb
from marquee.services.tmdb.shapes import (
    TmdbCastMember,
    TmdbCollection,
    TmdbCompany,
    TmdbCrewMember,
    TmdbDetails,
    TmdbEpisode,
    TmdbFound,
    TmdbGenre,
    TmdbImage,
    TmdbMovie,
    TmdbPage,
    TmdbPerson,
    TmdbProvider,
    TmdbSeason,
    TmdbSeasonHead,
    TmdbShow,
    TmdbShowDetails,
    TmdbShowPage,
    TmdbTitle,
    TmdbTranslation,
    TmdbWhole,
    TmdbWholeCollection,
)

__all__ = [
    "BASE_URL",
    "LAST_PAGE",
    "Tmdb",
    "TmdbCastMember",
    "TmdbCollection",
    "TmdbCompany",
    "TmdbCrewMember",
    "TmdbDetails",
    "TmdbEpisode",
    "TmdbFound",
    "TmdbGenre",
    "TmdbImage",
    "TmdbMovie",
    "TmdbPage",
    "TmdbPerson",
    "TmdbProvider",
    "TmdbSeason",
    "TmdbSeasonHead",
    "TmdbShow",
    "TmdbShowDetails",
    "TmdbShowPage",
    "TmdbTitle",
    "TmdbTranslation",
    "TmdbWhole",
    "TmdbWholeCollection",
]
