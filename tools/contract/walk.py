"""Ways through a contract that several rules take."""

import re
from collections.abc import Iterator
from typing import Any

from marquee.web.contract import METHODS

Node = dict[str, Any]

SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
PASCAL = re.compile(r"([A-Z][a-z0-9]*)+")
TEMPLATE = re.compile(r"\{([^}]*)\}")
SCHEMAS = "#/components/schemas/"
NESTED = ("items", "additionalProperties", "not")
SEVERAL = ("allOf", "oneOf", "anyOf")


def name_of(method: str, path: str, operation: Node) -> str:
    """What findings call an operation: its operationId, else method and path."""
    return str(operation.get("operationId") or f"{method.upper()} {path}")


def operations(document: Node) -> Iterator[tuple[str, str, str, Node]]:
    """Each operation, as (what to call it, path, method, operation)."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield name_of(method, path, item[method]), path, method, item[method]


def follow(document: Node, node: Node) -> Node:
    """What a node is, or what it refers to."""
    while "$ref" in node:
        found: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def parameters(document: Node, path: str, operation: Node) -> Iterator[Node]:
    """The parameters of an operation, its path's first, references followed."""
    own = [*document["paths"][path].get("parameters", []), *operation.get("parameters", [])]
    return (follow(document, each) for each in own)


def inline_schemas(document: Node) -> Iterator[tuple[str, Node]]:
    """Every schema that is not a component: of parameters, headers and bodies, with its place."""
    for kind, named in document.get("components", {}).items():
        if kind == "parameters":
            yield from ((f"parameter {name}", each["schema"]) for name, each in named.items())
        elif kind == "headers":
            yield from ((f"header {name}", each["schema"]) for name, each in named.items())
        elif kind in ("responses", "requestBodies"):
            for name, each in named.items():
                yield from _of_message(f"{kind} {name}", each)
    for path, item in document["paths"].items():
        yield from _of_parameters(path, item)
    for name, _, _, operation in operations(document):
        yield from _of_parameters(name, operation)
        yield from _of_message(f"{name}: request", operation.get("requestBody", {}))
        for status, response in operation["responses"].items():
            yield from _of_message(f"{name} {status}", response)


def _of_parameters(place: str, node: Node) -> Iterator[tuple[str, Node]]:
    for each in node.get("parameters", []):
        if "schema" in each:
            yield f"{place}: parameter {each['name']}", each["schema"]


def _of_message(place: str, message: Node) -> Iterator[tuple[str, Node]]:
    for header, definition in message.get("headers", {}).items():
        if "schema" in definition:
            yield f"{place}: header {header}", definition["schema"]
    for media in message.get("content", {}).values():
        yield place, media["schema"]


def subschemas(place: str, schema: Node) -> Iterator[tuple[str, Node]]:
    """A schema and all that it is made of, with their places; references are not followed."""
    yield place, schema
    for name, each in schema.get("properties", {}).items():
        yield from subschemas(f"{place}.{name}", each)
    for keyword in NESTED:
        if isinstance(schema.get(keyword), dict):
            yield from subschemas(f"{place}[{keyword}]", schema[keyword])
    for keyword in SEVERAL:
        for number, each in enumerate(schema.get(keyword, [])):
            yield from subschemas(f"{place}[{keyword} {number}]", each)


def all_schemas(document: Node) -> Iterator[tuple[str, Node]]:
    """Every schema of the document with its place; a component's place begins with its name."""
    for name, schema in document["components"]["schemas"].items():
        yield from subschemas(name, schema)
    for place, schema in inline_schemas(document):
        yield from subschemas(place, schema)


def reached(document: Node, start: Any) -> set[str]:  # noqa: ANN401 - any part of the contract
    """The names of the component schemas that a part of the contract leads to."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        if not isinstance(node, dict):
            continue
        reference = node.get("$ref")
        if isinstance(reference, str):
            name = reference.removeprefix(SCHEMAS) if reference.startswith(SCHEMAS) else None
            if name in found:
                continue
            found |= {name} if name else set()
            waiting.append(follow(document, node))
        else:
            waiting.extend(value for key, value in node.items() if key not in ("example", "links"))
    return found
