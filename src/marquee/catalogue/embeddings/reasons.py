"""Why a title is like another: by facts that both have, and nothing else."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Job
from marquee.catalogue.tvshows.models import TVShow

SIMILAR_STORY = 0.7
"""From this cosine of their texts on, two titles tell a similar story. Of the ten nearest films
measured, nearly half do."""
MOST_NAMES = 3


def reasons(
    title: Movie | TVShow, other: Row[Any], shared: Sequence[Row[Any]], story: float | None
) -> list[str]:
    """The reasons in words, the strongest first; `shared` are the people who did the same in both,
    `story` is the cosine of their texts, if that is known; it tells of stories where both have one.
    """
    by_job = {job: [each.name for each in shared if each.job == job] for job in Job}
    collection = title.collection_id if isinstance(title, Movie) else None
    have_stories = bool(title.overview) and other.has_overview
    is_similar = have_stories and story is not None and story >= SIMILAR_STORY
    same_collection = collection is not None and collection == other.collection_id
    found = (
        "Of the same collection" if same_collection else "",
        _told("Also created by ", by_job[Job.CREATOR]),
        _told("Also directed by ", by_job[Job.DIRECTOR]),
        _told("Also with ", by_job[Job.ACTOR]),
        "A similar story" if is_similar else "",
        _told("Both about ", [word for word in title.keywords if word in other.keywords]),
        _told("Both ", [genre for genre in title.genres if genre in other.genres]),
    )
    return [each for each in found if each]


def _told(beginning: str, names: Sequence[str]) -> str:
    """A sentence with the first names, once each; "" where there is none."""
    first = list(dict.fromkeys(names))[:MOST_NAMES]
    if not first:
        return ""
    *some, last = first
    return beginning + (f"{', '.join(some)} and {last}" if some else last)
