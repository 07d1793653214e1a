"""What lists of films and lists of series have in common: filters, orders, and queries that are
built once for each combination of them.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, Literal, TypeAlias, TypedDict, Unpack

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Row,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    not_,
    select,
    true,
)
from sqlalchemy.orm import InstrumentedAttribute

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.search import counting
from marquee.catalogue.titles import search_title
from marquee.catalogue.translations.languages import Asked, wanted
from marquee.catalogue.translations.models import Translation
from marquee.catalogue.translations.service import translated
from marquee.catalogue.tvshows.models import TVShow
from marquee.remembered import Remembered

Conditions: TypeAlias = Mapping[str, ColumnElement[bool]]
Order: TypeAlias = InstrumentedAttribute[Any] | Sequence[ColumnElement[Any]]
"""A column, for both directions; or what to order by as it stands, which has one direction."""


TITLES: Remembered[Any] = Remembered("marquee_titles")
"""Totals and orders of lists, until a title changes."""


class Listed(TypedDict):
    """What `web.paging.numbered` takes: `query` selects ids in order, `shown` the columns to show
    without a condition, `counted` the ids again without order; `values` are those of their
    `bindparam`s. `number_of` counts by the search index, `finish` makes results of the rows.
    """

    query: Select[Any]
    values: dict[str, Any]
    counted: Select[Any]
    shown: Select[Any]
    remembered: Remembered[Any] | None
    number_of: Callable[[], int | None]
    finish: Callable[[Sequence[Row[Any]]], Sequence[Any]]


class Listing:
    """The lists of one kind of title.

    `conditions` say what a filter of that name lets pass, by a `bindparam` of that name; one
    without a `bindparam` is for a filter that is true or false. `orders` are what may be sorted
    by; each wants an index with the id to break ties. `match` is for what has the words of a title.
    """

    def __init__(
        self,
        model: type[Movie | TVShow],
        columns: Sequence[ColumnElement[Any]],
        conditions: Conditions,
        orders: Mapping[str, Order],
    ) -> None:
        self.model = model
        self._kind: Literal["movie", "tvshow"] = "movie" if model is Movie else "tvshow"
        self._owner = Translation.movie_id if model is Movie else Translation.tvshow_id
        self._conditions = {**common_conditions(model), **conditions}
        self._personal: dict[str, Mapping[str, ColumnElement[bool]]] = {}
        match = exact_first(model), model.popularity.desc(), model.id.desc()
        self._orders = {**orders, "match": match}
        self._shown = select(*columns).select_from(model)
        self._queries = lru_cache(maxsize=512)(self._made)

    def add(self, name: str, condition: ColumnElement[bool]) -> None:
        """Take a filter that a domain above has, before the first request."""
        self._conditions[name] = condition

    def add_personal(self, name: str, choices: Mapping[str, ColumnElement[bool]]) -> None:
        """The same for one that depends on the user `viewer_id`: a condition for each of its
        values but those that let everything pass.
        """
        self._personal[name] = choices

    def listed(self, sort: str, order: str, viewer_id: int | None = None, **asked: Any) -> Listed:  # noqa: ANN401 - by the contract
        """The list of what passes all filters, in this order, `asc` or `desc`.

        What is `asked` are filters by name, and perhaps a language (`translations.languages`).
        """
        values = dict(asked)
        chosen = tuple(
            (name, choice)
            for name, choices in self._personal.items()
            if (choice := values.pop(name, None)) in choices
        )
        languages = wanted(values.pop("language", None), values.pop("accept_language", None))
        if "query" in values and not has_words(values["query"]):
            values["symbols"] = search_title(values.pop("query"))
        number_of = partial(counting.number_of, self._kind, dict(values))
        switches = tuple((name, value is not False) for name, value in values.items())
        if "query" in values:
            values["query"] = title_words(values["query"])
        found, counted = self._queries(sort, order, switches, chosen)
        if chosen:
            values["viewer_id"] = viewer_id
        return {
            "query": found,
            "values": values,
            "counted": counted,
            "shown": self._shown,
            # What is one user's changes with that user's next write, of which nobody is told.
            "remembered": None if chosen else TITLES,
            "number_of": number_of,
            "finish": partial(translated, owner=self._owner, languages=languages),
        }

    def matching(self, words: str, **asked: Unpack[Asked]) -> Listed:
        """The titles with these words, the last perhaps as a beginning: those that are called so,
        those that begin so, the others; the popular first.
        """
        found = self.listed("match", "asc", query=words, **asked)
        found["values"]["title"] = search_title(words)
        return found

    def _made(
        self,
        sort: str,
        order: str,
        filters: tuple[tuple[str, bool], ...],
        chosen: tuple[tuple[str, str], ...],
    ) -> tuple[Select[Any], Select[Any]]:
        """The ids that pass these filters, whatever their values, with and without an order."""
        passing = [self._condition(name, wanted=wanted) for name, wanted in filters]
        passing += [self._personal[name][choice] for name, choice in chosen]
        counted = select(self.model.id).where(and_(true(), *passing))
        return counted.order_by(*self._ordering(sort, descending=order == "desc")), counted

    def _condition(self, name: str, *, wanted: bool) -> ColumnElement[bool]:
        return self._conditions[name] if wanted else not_(self._conditions[name])

    def _ordering(self, sort: str, *, descending: bool) -> Sequence[ColumnElement[Any]]:
        by = self._orders[sort]
        if not isinstance(by, InstrumentedAttribute):
            return by
        first, tie = (
            (by.desc(), self.model.id.desc()) if descending else (by.asc(), self.model.id.asc())
        )
        # Without NULLS LAST where nothing is null, so that the order is that of the index.
        return (first.nulls_last() if by.property.columns[0].nullable else first), tie


def common_conditions(model: type[Movie | TVShow]) -> dict[str, ColumnElement[bool]]:
    """The filters that films and series share."""
    return {
        "query": model.title_words.op("@@")(func.to_tsquery("simple", bindparam("query"))),
        # A title without words is its own `sort_title`, which has an index.
        "symbols": model.sort_title == bindparam("symbols"),
        "year_from": model.year >= bindparam("year_from"),
        "year_to": model.year <= bindparam("year_to"),
        "min_score": model.vote_average >= bindparam("min_score"),
        "min_votes": model.vote_count >= bindparam("min_votes"),
        "min_rt_score": model.rt_score >= bindparam("min_rt_score"),
        "min_metacritic": model.metacritic_score >= bindparam("min_metacritic"),
        "has_awards": model.awards_summary.is_not(None),
        "age_rating": model.age_rating.in_(bindparam("age_rating", expanding=True)),
        "genre": model.genres.overlap(cast(bindparam("genre"), ARRAY(Text))),
        "country": model.countries.overlap(cast(bindparam("country"), ARRAY(Text))),
    }


def has_words(text: str) -> bool:
    """Whether there is anything but symbols in it, which PostgreSQL takes for no words."""
    return any(map(str.isalnum, search_title(text)))


def title_words(text: str) -> str:
    """A query for titles with all words of a text, the last perhaps as a beginning; for none
    where there is no word.
    """
    words = [
        f"'{word}'" for word in search_title(text).replace("'", " ").replace("\\", " ").split()
    ]
    return " & ".join(words) + ":*" if words else ""


def exact_first(model: type[Movie | TVShow]) -> ColumnElement[int]:
    """An order for what has the words of a `title`: what is called so, what begins so, the rest."""
    title: ColumnElement[str] = bindparam("title", type_=Text())
    return case(
        (title.in_((model.search_title, model.sort_title)), 0),
        (func.starts_with(model.search_title, title), 1),
        (func.starts_with(model.sort_title, title), 1),
        else_=2,
    )
