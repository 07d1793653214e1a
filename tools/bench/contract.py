"""The contract of the benchmark: the real one, the operations without a database, and synthetic
ones up to 330.
"""

import copy
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import yaml

from marquee.web import contract

OPERATIONS = 330
HANDLERS = "tools.bench.handlers"
RESOURCES = tuple(
    """
    accounts achievements actors alerts albums audits awards badges billing bookmarks
    calendars casts channels collections comments companies countries credits devices
    discussions events exports feeds festivals follows franchises genres groups histories
    imports invites invoices keywords languages libraries lists messages networks
    notifications people playlists polls profiles recommendations releases reports reviews
    roles seasons series sessions sets shows statuses studios subtitles tags teams themes
    tickets trailers votes
    """.split()  # noqa: SIM905 - a list of quoted words is as long again
)
"""Spread over the alphabet, as the measured operations stand in its middle: a server that tries one
route after the other neither wins nor loses by the order."""

NAME = {"type": "string", "minLength": 1, "maxLength": 200}
ITEM = {
    "type": "object",
    "required": ["id", "name"],
    "properties": {
        "id": {"type": "integer"},
        "name": NAME,
        "tags": {"type": "array", "items": NAME},
    },
}
CHANGES = {"type": "object", "required": ["name"], "properties": {"name": NAME}}


def padded() -> contract.Document:
    """The whole contract, of exactly 330 operations or of as many as the real one has.

    No answer is kept until something changes: all servers ask the database each time.
    """
    document = copy.deepcopy(contract.load())
    for _, _, operation in contract.operations(document):
        if "until" in operation.get("x-cache", {}):
            operation["x-cache"] = {"scope": "private"}
    memory = yaml.safe_load(Path(__file__).with_name("memory.yaml").read_bytes())
    for kind, named in memory["components"].items():
        document["components"].setdefault(kind, {}).update(named)
    for path, item in memory["paths"].items():
        for operation in item.values():
            _add(document, path, item, operation)
    missing = max(0, OPERATIONS - len(list(contract.operations(document))))
    taken = {path.split("/")[1] for path in document["paths"]}
    synthetic = (each for name in RESOURCES if name not in taken for each in _synthetic(name))
    for path, method, operation in islice(synthetic, missing):
        _add(document, path, {method: operation}, operation)
    document["paths"] = dict(sorted(document["paths"].items()))
    whole: contract.Document = orjson.loads(orjson.dumps(document))
    return whole


def routes(document: contract.Document) -> list[tuple[str, str, str]]:
    """Method, path and operationId of each operation, in the contract's order."""
    base = document["servers"][0]["url"]
    return [
        (method.upper(), base + path, operation["operationId"])
        for path, method, operation in contract.operations(document)
    ]


def _add(
    document: contract.Document, path: str, item: dict[str, Any], operation: dict[str, Any]
) -> None:
    operation.setdefault("security", [{"bench_token": []}])
    operation["x-openapi-router-controller"] = HANDLERS
    for status in ("400", "401", "429", "500"):
        operation["responses"][status] = {"$ref": f"#/components/responses/{status}"}
    document["paths"].setdefault(path, {}).update(item)


def _synthetic(resource: str) -> list[tuple[str, str, dict[str, Any]]]:
    """The six operations of a resource."""
    identifier = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    page = {"name": "page", "in": "query", "schema": {"type": "integer", "default": 1}}
    one, many = f"/{resource}/{{id}}", f"/{resource}"

    def operation(name: str, *parameters: dict[str, Any], body: bool = False) -> dict[str, Any]:
        answer = {"description": "Done.", "content": {"application/json": {"schema": ITEM}}}
        made = {
            "operationId": f"{name}_{resource}",
            "parameters": [dict(each) for each in parameters],
            "responses": {"200": answer},
        }
        if body:
            content = {"application/json": {"schema": CHANGES}}
            made["requestBody"] = {"required": True, "content": content}
        return copy.deepcopy(made)

    return [
        (many, "get", operation("list", page)),
        (many, "post", operation("create", body=True)),
        (one, "get", operation("get", identifier)),
        (one, "patch", operation("update", identifier, body=True)),
        (one, "delete", operation("delete", identifier)),
        (f"{one}/items", "get", operation("list_items_of", identifier, page)),
    ]
