"""A search engine of one's own: Meilisearch 1.36 or later, https://www.meilisearch.com/docs.

What is written there is a task, which is done later and in the order in which it was asked for;
`wait` waits for it. What the indexes hold, and what is asked of them, is the domain's.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeAlias
from urllib.parse import quote

import structlog
from structlog.typing import FilteringBoundLogger

from marquee import settings
from marquee.errors import TimedOut, Unavailable
from marquee.services.fields import Fields, Malformed
from marquee.services.http import Timing, Upstream, UpstreamNotFound

LARGEST = 16 * 1024 * 1024
LONGEST_WRITE = 60.0
"""Seconds in which a batch of documents is taken."""
FIRST_LOOK, LAST_LOOK = 0.02, 0.5
"""Seconds between looks at a task."""
MOST_INDEXES = 1000
DONE: Final = frozenset({"succeeded", "failed", "canceled"})

Json: TypeAlias = dict[str, Any]


class TaskFailed(Unavailable):
    """A task came to nothing; `reason` is the engine's code, such as `index_not_found`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Find:
    """A document that was found: its id, how good it is (0 to 1), and the fields asked for."""

    id: str
    score: float
    fields: Json


@dataclass(frozen=True, slots=True)
class Finds:
    """What one query found, the best first."""

    hits: list[Find]
    facets: dict[str, dict[str, int]]
    """Of each facet that was asked for, how many of all finds have which values."""


class Meilisearch:
    """One engine, for all threads of a process. Raises Unavailable and TimedOut where it does not
    serve, UpstreamNotFound for an index that is not there.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str = "",
        *,
        timeout: float = 2.0,
        timing: Timing | None = None,
        log: FilteringBoundLogger | None = None,
    ) -> None:
        """`timeout` is the longest that a search may take, in seconds."""
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._timing = timing or Timing()

        def upstream(within: float) -> Upstream:
            return Upstream(
                "search",
                base_url.rstrip("/"),
                connect_timeout=min(3.0, within),
                read_timeout=within,
                total_timeout=within,
                max_bytes=LARGEST,
                keep_bytes=0,
                headers=headers,
                secrets=(api_key,),
                timing=self._timing,
                log=log or structlog.get_logger(),
            )

        self._searching = upstream(timeout)
        self._keeping = upstream(LONGEST_WRITE)

    def search(self, index: str, queries: Sequence[Json]) -> list[Finds]:
        """What each query finds, in its order; all of them are one request. They are in the words
        of https://www.meilisearch.com/docs/reference/api/search.
        """
        body = {"queries": [{"indexUid": index, **query} for query in queries]}
        return self._searching.request(
            "POST", "/multi-search", body=body, read=lambda value: _finds(value, len(queries))
        )

    def document(self, index: str, id_: str) -> Json | None:
        """A document, or None where it or its index is not there."""
        try:
            return self._keeping.get(f"/indexes/{_quoted(index)}/documents/{id_}", read=_object)
        except UpstreamNotFound:
            return None

    def number_of_documents(self, index: str) -> int:
        """How many documents an index has; 0 where there is none."""
        try:
            return self._keeping.get(
                f"/indexes/{_quoted(index)}/stats",
                read=lambda value: Fields(value, "answer").count("numberOfDocuments"),
            )
        except UpstreamNotFound:
            return 0

    def indexes(self) -> list[str]:
        """The names of all indexes, up to a thousand."""
        return self._keeping.get("/indexes", {"limit": MOST_INDEXES}, read=_names)

    def create(self, index: str) -> int:
        """Make an index whose documents are known by `id`; the number of the task."""
        return self._task("POST", "/indexes", {"uid": index, "primaryKey": "id"})

    def delete(self, index: str) -> int:
        """Delete an index; the number of the task."""
        return self._task("DELETE", f"/indexes/{_quoted(index)}")

    def configure(self, index: str, values: Json) -> int:
        """Change settings of an index; the number of the task."""
        return self._task("PATCH", f"/indexes/{_quoted(index)}/settings", values)

    def add(self, index: str, documents: Sequence[Json]) -> int:
        """Write documents, in place of those with the same ids; the number of the task."""
        return self._task("POST", f"/indexes/{_quoted(index)}/documents", documents)

    def remove(self, index: str, ids: Sequence[str]) -> int:
        """Delete documents, whether they are there or not; the number of the task."""
        return self._task("POST", f"/indexes/{_quoted(index)}/documents/delete-batch", ids)

    def swap(self, one: str, other: str) -> int:
        """Let each of two indexes be found by the other's name, at once; the task's number."""
        return self._task("POST", "/swap-indexes", [{"indexes": [one, other]}])

    def wait(self, tasks: Iterable[int], within: float) -> None:
        """Wait until all tasks are done, for so many seconds. Raises TaskFailed for one that came
        to nothing, TimedOut where they are not done by then.
        """
        until = time.monotonic() + within
        for task in tasks:
            pause = FIRST_LOOK
            while not self._is_done(task):
                if time.monotonic() > until:
                    raise TimedOut(f"The search engine has not done task {task} yet.")
                self._timing.sleep(pause)
                pause = min(pause * 2, LAST_LOOK)

    def _is_done(self, task: int) -> bool:
        status, reason, message = self._keeping.get(f"/tasks/{task}", read=_told)
        if status in {"failed", "canceled"}:
            raise TaskFailed(reason, f"The search engine could not do it: {status} {message}")
        return status in DONE

    def _task(self, method: str, path: str, body: object = None) -> int:
        return self._keeping.request(method, path, body=body, read=_number)


def current() -> Meilisearch:
    """The engine that the settings name, in `SEARCH_URL`; one for each process."""
    values = settings.current()
    return of(values.search_url, values.search_api_key, values.search_timeout)


@cache
def of(url: str, api_key: str, timeout: float) -> Meilisearch:
    """One engine for each address, as it knows how the service fares."""
    return Meilisearch(url, api_key, timeout=timeout)


def _quoted(index: str) -> str:
    return quote(index, safe="")


def _object(value: object) -> Json:
    if not isinstance(value, dict):
        raise Malformed("answer is not an object")
    return value


def _names(value: object) -> list[str]:
    return [each.some_text("uid", 512) for each in Fields(value, "answer").inners("results")]


def _number(value: object) -> int:
    number = Fields(value, "answer").known_count("taskUid")
    if number is None:
        raise Malformed("answer has no taskUid")
    return number


def _told(value: object) -> tuple[str, str, str]:
    """The status of a task, and the code and words of its error."""
    task = Fields(value, "answer")
    error = task.inner("error")
    if error is None:
        return task.some_text("status", 50), "", ""
    return task.some_text("status", 50), error.text("code", 100), error.text("message", 500)


def _finds(value: object, number: int) -> list[Finds]:
    results = Fields(value, "answer").items("results")
    if len(results) != number:
        raise Malformed(f"answer.results has {len(results)} items of {number}")
    return [
        Finds([_find(hit) for hit in Fields(each, "result").items("hits")], _facets(each))
        for each in results
    ]


def _find(value: object) -> Find:
    hit = Fields(value, "hit")
    return Find(hit.some_text("id", 512), hit.number("_rankingScore", 1.0), _object(value))


def _facets(result: object) -> dict[str, dict[str, int]]:
    told = _object(_object(result).get("facetDistribution", {}))
    return {name: _counts(_object(counts)) for name, counts in told.items()}


def _counts(values: Json) -> dict[str, int]:
    counts = Fields(values, "facet")
    return {name: number for name in values if (number := counts.count(name))}
