"""A fake of Meilisearch 1.36, as far as indexes, settings, documents, tasks and searches go; its
public client can use it.

Paths, bodies, tasks and errors are those of https://www.meilisearch.com/docs/reference/api. What is
written is a task, which is done a moment later and in order: until then nothing is seen of it. How
it can be broken is said in `tests/fakes/server.py` and `tests/fakes/faults.py`.
"""

import json
import re
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import RLock
from typing import Any

from tests.fakes.exchange import Asked, Reply
from tests.fakes.meilisearch_search import Refused, Search
from tests.fakes.server import FakeServer

KEY = "a master key of 16 bytes or more"
UID = re.compile(r"[A-Za-z0-9_-]{1,512}")
DOCUMENT_ID = re.compile(r"[A-Za-z0-9_-]{1,511}")
TYPES = {401: "auth", 403: "auth", 500: "internal", 503: "system"}
CODES = {
    400: "bad_request",
    401: "missing_authorization_header",
    403: "invalid_api_key",
    404: "not_found",
    429: "too_many_requests",
    500: "internal",
    503: "too_many_search_requests",
}
DEFAULTS: dict[str, Any] = {
    "displayedAttributes": ["*"],
    "searchableAttributes": ["*"],
    "filterableAttributes": [],
    "sortableAttributes": [],
    "rankingRules": [
        *("words", "typo", "proximity", "attributeRank", "sort", "wordPosition", "exactness")
    ],
    "stopWords": [],
    "synonyms": {},
    "distinctAttribute": None,
    "typoTolerance": {
        "enabled": True,
        "minWordSizeForTypos": {"oneTypo": 5, "twoTypos": 9},
        "disableOnWords": [],
        "disableOnAttributes": [],
        "disableOnNumbers": False,
    },
    "faceting": {"maxValuesPerFacet": 100, "sortFacetValuesBy": {"*": "alpha"}},
    "pagination": {"maxTotalHits": 1000},
    "facetSearch": True,
    "prefixSearch": "indexingTime",
}
RULES = {*DEFAULTS["rankingRules"], "attribute"}
Json = dict[str, Any]


def moment() -> str:
    """Now, as the engine writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass
class Index:
    """Documents by id, and how they are searched."""

    uid: str
    primary_key: str | None = None
    documents: dict[str, Json] = field(default_factory=dict)
    settings: Json = field(default_factory=lambda: deepcopy(DEFAULTS))
    created_at: str = field(default_factory=moment)

    @property
    def shown(self) -> Json:
        told = {"uid": self.uid, "primaryKey": self.primary_key}
        return {**told, "createdAt": self.created_at, "updatedAt": self.created_at}


@dataclass
class Task:
    """What is to be done, and what became of it."""

    uid: int
    index_uid: str | None
    type: str
    perform: Callable[[], None]
    due: float
    status: str = "enqueued"
    error: Json | None = None
    enqueued_at: str = field(default_factory=moment)

    @property
    def summary(self) -> Json:
        told = {"taskUid": self.uid, "indexUid": self.index_uid, "status": "enqueued"}
        return {**told, "type": self.type, "enqueuedAt": self.enqueued_at}

    @property
    def shown(self) -> Json:
        ended = None if self.status == "enqueued" else moment()
        return {
            **self.summary,
            "uid": self.uid,
            "status": self.status,
            "error": self.error,
            "details": {},
            "duration": "PT0.01S" if ended else None,
            "startedAt": ended,
            "finishedAt": ended,
        }


class FakeMeilisearch(FakeServer):
    """One engine with one key. `delay` is how long a task waits for its turn, in seconds."""

    def __init__(self, *, delay: float = 0.01, **options: Any) -> None:
        super().__init__(**options)
        self.delay = delay
        self.indexes: dict[str, Index] = {}
        self.tasks: list[Task] = []
        self._turn = RLock()

    def answer(self, asked: Asked) -> Reply:
        """Answer as the engine does."""
        with self._turn:
            self._work()
            if (asked.method, asked.path) == ("GET", "/health"):
                return Reply(200, {"status": "available"})
            key = asked.headers.get("authorization")
            if key != f"Bearer {KEY}":
                return self.problem(401 if key is None else 403)
            try:
                return self._routed(asked)
            except Refused as error:
                status = 404 if error.code.endswith("_not_found") else 400
                return Reply(status, failure(error.code, str(error), status))

    def _routed(self, asked: Asked) -> Reply:  # noqa: PLR0911 - one for each route
        parts = asked.path.strip("/").split("/")
        body = json.loads(asked.body) if asked.body else None
        match asked.method, *parts:
            case "GET", "version":
                told = {"commitSha": "unknown", "commitDate": moment(), "pkgVersion": "1.36.0"}
                return Reply(200, told)
            case "GET", "tasks", uid:
                return self._task(uid)
            case "POST", "swap-indexes":
                return self._enqueue(None, "indexSwap", lambda: self._swap(body))
            case "POST", "multi-search":
                return Reply(200, {"results": [self._searched(each) for each in body["queries"]]})
            case "GET", "indexes":
                return self._listed(asked)
            case "POST", "indexes":
                uid = checked(body["uid"])
                key = body.get("primaryKey")
                return self._enqueue(uid, "indexCreation", lambda: self._create(uid, key))
            case method, "indexes", uid, *rest:
                return self._of_index(method, checked(uid), rest, asked, body)
        return self.problem(404)

    def _of_index(  # noqa: PLR0911 - one for each route
        self, method: str, uid: str, rest: list[str], asked: Asked, body: Any
    ) -> Reply:
        match method, *rest:
            case ("GET",):
                return Reply(200, self.index(uid).shown)
            case ("DELETE",):
                return self._enqueue(uid, "indexDeletion", lambda: self._delete(uid))
            case "GET", "stats":
                told = {"numberOfDocuments": len(self.index(uid).documents), "isIndexing": False}
                return Reply(200, {**told, "fieldDistribution": {}})
            case "GET", "settings":
                return Reply(200, self.index(uid).settings)
            case "PATCH", "settings":
                check_settings(body)
                return self._enqueue(uid, "settingsUpdate", lambda: self._configure(uid, body))
            case "POST", "search":
                answer = self._searched({**body, "indexUid": uid})
                return Reply(200, {key: each for key, each in answer.items() if key != "indexUid"})
            case "GET", "documents", id_:
                return self._document(uid, id_)
            case "POST", "documents":
                key = asked.query.get("primaryKey")
                kind = "documentAdditionOrUpdate"
                return self._enqueue(uid, kind, lambda: self._add(uid, body, key))
            case "POST", "documents", "delete-batch":
                return self._enqueue(uid, "documentDeletion", lambda: self._remove(uid, body))
        return self.problem(404)

    def index(self, uid: str) -> Index:
        """The index of a name."""
        if uid not in self.indexes:
            raise Refused("index_not_found", f"Index `{uid}` not found.")
        return self.indexes[uid]

    def _searched(self, query: Json) -> Json:
        index = self.index(checked(query["indexUid"]))
        found = Search(index.settings, list(index.documents.values()), query).answer()
        return {"indexUid": index.uid, **found}

    def _listed(self, asked: Asked) -> Reply:
        start, size = int(asked.query.get("offset", "0")), int(asked.query.get("limit", "20"))
        uids = sorted(self.indexes)
        results = [self.indexes[uid].shown for uid in uids[start : start + size]]
        told = {"offset": start, "limit": size, "total": len(uids)}
        return Reply(200, {"results": results, **told})

    def _document(self, uid: str, id_: str) -> Reply:
        document = self.index(uid).documents.get(id_)
        if document is None:
            raise Refused("document_not_found", f"Document `{id_}` not found.")
        return Reply(200, document)

    def _task(self, uid: str) -> Reply:
        if not uid.isdecimal() or int(uid) >= len(self.tasks):
            raise Refused("task_not_found", f"Task `{uid}` not found.")
        shown = dict(self.tasks[int(uid)].shown)
        shown.pop("taskUid")
        return Reply(200, shown)

    def _enqueue(self, uid: str | None, kind: str, perform: Callable[[], None]) -> Reply:
        task = Task(len(self.tasks), uid, kind, perform, time.monotonic() + self.delay)
        self.tasks.append(task)
        return Reply(202, task.summary)

    def _work(self) -> None:
        """Do what is due, in order."""
        for task in self.tasks:
            if task.status == "enqueued":
                if task.due > time.monotonic():
                    return
                try:
                    task.perform()
                    task.status = "succeeded"
                except Refused as error:
                    task.status, task.error = "failed", failure(error.code, str(error), 400)

    def _create(self, uid: str, primary_key: str | None) -> None:
        if uid in self.indexes:
            raise Refused("index_already_exists", f"Index `{uid}` already exists.")
        self.indexes[uid] = Index(uid, primary_key)

    def _delete(self, uid: str) -> None:
        self.index(uid)
        del self.indexes[uid]

    def _configure(self, uid: str, values: Json) -> None:
        settings = self.indexes.setdefault(uid, Index(uid)).settings
        for name, value in values.items():
            old = settings[name]
            if value is None:
                settings[name] = deepcopy(DEFAULTS[name])
            elif isinstance(old, dict) and name != "synonyms":
                settings[name] = {**old, **value}
            else:
                settings[name] = value

    def _add(self, uid: str, documents: list[Json], primary_key: str | None) -> None:
        index = self.indexes.setdefault(uid, Index(uid))
        if index.primary_key is None:
            likely = [name for name in documents[0] if name.lower().endswith("id")]
            if primary_key is None and len(likely) != 1:
                raise Refused("index_primary_key_no_candidate_found", "No primary key.")
            index.primary_key = primary_key or likely[0]
        for document in documents:
            id_ = document.get(index.primary_key)
            if not isinstance(id_, int | str) or not DOCUMENT_ID.fullmatch(str(id_)):
                raise Refused("invalid_document_id", f"Document identifier `{id_}` is invalid.")
        index.documents |= {str(each[index.primary_key]): each for each in documents}

    def _remove(self, uid: str, ids: list[Any]) -> None:
        documents = self.index(uid).documents
        for id_ in ids:
            documents.pop(str(id_), None)

    def _swap(self, swaps: list[Json]) -> None:
        pairs = [swap["indexes"] for swap in swaps]
        for uid in (uid for pair in pairs for uid in pair):
            self.index(uid)
        for one, other in pairs:
            first, second = self.indexes[one], self.indexes[other]
            first.uid, second.uid = other, one
            self.indexes[one], self.indexes[other] = second, first

    def problem(self, status: int) -> Reply:
        """An error as the engine writes it."""
        code = CODES.get(status, "internal")
        return Reply(status, failure(code, f"problem {status}", status))


def check_settings(values: Json) -> None:
    """Refuse settings that there are not."""
    if unknown := values.keys() - DEFAULTS.keys():
        raise Refused("bad_request", f"Unknown field `{min(unknown)}`.")
    rules = values.get("rankingRules") or ()
    wrong = [each for each in rules if each not in RULES and not each.endswith((":asc", ":desc"))]
    if wrong or ("attribute" in rules and {"attributeRank", "wordPosition"} & set(rules)):
        raise Refused("invalid_settings_ranking_rules", f"Invalid ranking rules: {rules}.")


def checked(uid: str) -> str:
    """The name of an index, which has a form."""
    if not UID.fullmatch(uid):
        raise Refused("invalid_index_uid", f"`{uid}` is not a valid index uid.")
    return uid


def failure(code: str, message: str, status: int) -> Json:
    """An error as the engine writes it."""
    link = f"https://docs.meilisearch.com/errors#{code}"
    kind = TYPES.get(status, "invalid_request")
    return {"message": message, "code": code, "type": kind, "link": link}
