"""Why a title is recommended, in a sentence that names no title but those that speak for it."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import structlog
from sqlalchemy import ARRAY, Text, any_, bindparam, select, union_all

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.titles import sort_title
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import checkpoint, session
from marquee.errors import TimedOut, Unavailable
from marquee.services import text
from marquee.services.text import Brief, Writer

log = structlog.get_logger("marquee")

LONGEST = 600
NAMED, GENRES_NAMED = 3, 3
MOST_KEPT = 4096
TASK = (
    "Tell a person in one or two plain English sentences, of at most 60 words, why the title may "
    "suit them, or that it is not recommended to them where its place is null. Address them as "
    "'you'. Speak of nothing but the facts. Name no film and no series but the title and those in "
    "liked_titles, each exactly as it is written there; name no people."
)
QUOTED = re.compile(r"[“\"«*][^“”\"«»*]{1,200}[”\"»*]")
WORD = re.compile(r"[^\W_][\w'\u2019&.-]*\w|[^\W_]")
SENTENCE_END = re.compile(r"[.!?:;|\n]\s*$")
SMALL = frozenset(
    (
        *("a", "an", "and", "at", "by", "de", "der", "des", "die", "du", "el", "for", "from"),
        *("in", "la", "le", "of", "on", "or", "the", "to", "und", "vs", "with", "y"),
    )
)
OPENERS = frozenset(
    (
        *("a", "an", "and", "as", "because", "both", "for", "from", "given", "having", "he"),
        *("here", "i", "if", "in", "it", "its", "like", "of", "on", "one", "since", "so", "that"),
        *("the", "there", "these", "they", "this", "those", "though", "we", "what", "when"),
        *("while", "who", "with", "you", "your"),
    )
)
"""Words that begin a sentence, and are titles too."""
LONGEST_NAME = 8
"""Words of a name."""
IS_TITLE = union_all(
    *(
        select(model.id).where(model.sort_title == any_(bindparam("names", type_=ARRAY(Text))))
        for model in (Movie, TVShow)
    )
).limit(1)


def sentence(
    title: Any,  # noqa: ANN401 - a row
    rank: int,
    evidence: Sequence[dict[str, Any]],
    genres: Sequence[str],
) -> str:
    """Why a title is at this place, or near what the user likes where that is 0. It is written once
    by a process, and said plainly where nothing serves that writes, or what was written names
    other titles.

    No transaction may be open: whoever writes is waited for.
    """
    liked = [each["title"].title for each in evidence[:NAMED]]
    genres = genres[:GENRES_NAMED]
    facts = {
        "title": title.title,
        "year": title.year,
        "genres": title.genres,
        "place": rank or None,
        "liked_titles": [
            {"title": each["title"].title, "liked_as": each["evidence_type"]}
            for each in evidence[:NAMED]
        ],
        "genres_the_person_watches": genres,
    }
    plain = _plain(title.title, rank, liked, genres)
    brief = Brief(TASK, facts, plain, LONGEST)
    try:
        return _written(text.current(), brief, (title.title, *liked), tuple(title.genres))
    except (Unavailable, TimedOut) as error:
        log.warning("explanation_not_written", error=error.message)
        return plain


def names_others(words: str, names: Iterable[str], genres: Iterable[str]) -> bool:
    """Whether a text names a title besides some: any in quotes, or one of the catalogue that is
    written with capitals. Begins and ends a transaction.
    """
    rest = words
    for name in sorted({*names, *genres}, key=len, reverse=True):
        rest = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "|", rest, flags=re.IGNORECASE)
    if any(WORD.search(found[0]) for found in QUOTED.finditer(rest)):
        return True
    phrases = {sort_title(each) for each in _phrases(rest)}
    if not phrases:
        return False
    found = session.connection().execute(IS_TITLE, {"names": sorted(phrases)}).first()
    checkpoint()
    return found is not None


@lru_cache(maxsize=MOST_KEPT)
def _written(writer: Writer, brief: Brief, names: tuple[str, ...], genres: tuple[str, ...]) -> str:
    words = "".join(writer.write(brief)).strip()[: brief.longest]
    if not words or (words != brief.plain and names_others(words, names, genres)):
        return brief.plain
    return words


def _plain(title: str, rank: int, liked: Sequence[str], genres: Sequence[str]) -> str:
    reasons = [f"it goes with {_listed(liked)}, which you like"] if liked else []
    if genres:
        reasons.append(f"you watch {_listed(genres)}")
    because = ", and ".join(reasons)
    if rank:
        return (
            f"{title} is number {rank} of your recommendations: "
            f"{because or 'many others watch it, and rate it well'}."
        )
    return f"{title} is not among your recommendations" + (f", but {because}." if because else ".")


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _phrases(words: str) -> set[str]:
    """What may be names: runs of words with capitals, with small words between them."""
    found = list(WORD.finditer(words))
    phrases = set()
    for at, start in enumerate(found):
        if not _capital(start[0]):
            continue
        opens = not words[: start.start()].strip() or SENTENCE_END.search(words[: start.start()])
        for end in found[at : at + LONGEST_NAME]:
            between = words[start.end() : end.start()]
            if end is not start and SENTENCE_END.search(between):
                break
            if not _capital(end[0]):
                if end[0].lower() in SMALL:
                    continue
                break
            phrase = words[start.start() : end.end()]
            if not (opens and phrase.lower() in OPENERS):
                phrases.add(phrase)
    return phrases


def _capital(word: str) -> bool:
    return word[0].isupper() or word[0].isdigit()
