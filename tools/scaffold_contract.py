"""The contract of a scaffolded operation, as text put into a file that people have written."""

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import yaml
from sqlalchemy import inspect
from sqlalchemy.dialects.postgresql import ARRAY

from marquee.db import WORD_STARTS

if TYPE_CHECKING:
    from tools.scaffold import Order

Node = dict[str, Any]

ID = {"$ref": "#/components/schemas/Id"}
FORMS: dict[type, tuple[Node, Any]] = {
    bool: ({"type": "boolean"}, True),
    int: ({"type": "integer", "minimum": 0, "maximum": 2147483647}, 1),
    float: ({"type": "number", "minimum": 0, "maximum": 1000000}, 1.5),
    str: ({"type": "string", "maxLength": 500}, "A text"),
    date: ({"type": "string", "format": "date", "maxLength": 10}, "1975-06-20"),
    datetime: (
        {"type": "string", "format": "date-time", "maxLength": 40},
        "2026-11-22T08:00:00.000000Z",
    ),
}
"""By a column's Python type: its schema, with limits to look over, and an example."""


class _Dumper(yaml.SafeDumper):
    """YAML as people write it here: references, and what is short, on one line."""

    def ignore_aliases(self, _data: object) -> bool:
        """Write every node out."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - as PyYAML calls it
        """Indent lists below their key."""
        super().increase_indent(flow, indentless=False)


def _sequence(dumper: _Dumper, node: list[Any]) -> yaml.SequenceNode:
    flow = not any(isinstance(each, (dict, list)) for each in node)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", node, flow_style=flow)


def _mapping(dumper: _Dumper, node: Node) -> yaml.MappingNode:
    short = not any(isinstance(value, (dict, list)) for value in node.values())
    flow = short and len(node) <= len(FORMS[str][0]) + 2
    return dumper.represent_mapping("tag:yaml.org,2002:map", node, flow_style=flow)


_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(list, _sequence)


def add(text: str, order: "Order") -> str:
    """A contract file with the operation, its path and its schemas added."""
    operation = _indented({order.method: _operation(order)}, 4)
    present = yaml.safe_load(text) or {}
    text = text or "paths:\n"
    if order.url in present.get("paths", {}):
        text = _insert(text, rf"  {re.escape(order.url)}:\n(    .*\n|\n)*", operation)
    else:
        head = f"  {order.url}:\n"
        if order.parameters:
            head += _indented({"parameters": [_path_parameter(p) for p in order.parameters]}, 4)
        text = _insert(text, r"paths:\n(  .*\n|\n)*", head + operation)
    known = present.get("components", {}).get("schemas", {})
    schemas = {name: each for name, each in _schemas(order).items() if name not in known}
    if not schemas:
        return text
    if "schemas" not in present.get("components", {}):
        text += "components:\n  schemas:\n"
    return text.rstrip("\n") + "\n" + _indented(schemas, 4)


def add_error_code(text: str, code: str) -> str:
    """common.yaml with one more code, after the last `…_NOT_FOUND`."""
    return _insert(text, r"(.*\n)*        - \w+_NOT_FOUND\n", f"        - {code}\n")


def columns(order: "Order", *, settable: bool = False) -> dict[str, tuple[Node, Any]]:
    """The model's columns with schema and example; `settable` leaves out what the database sets,
    and what belongs to another row.
    """
    found: dict[str, tuple[Node, Any]] = {}
    for column in sorted(inspect(order.model).columns, key=lambda each: not each.primary_key):
        given = column.primary_key or column.server_default is not None or column.computed
        if settable and (given or column.foreign_keys):
            continue
        if column.primary_key or column.foreign_keys:
            form: tuple[Node, Any] = (ID, 42)
        elif isinstance(column.type, ARRAY):
            items = FORMS[column.type.item_type.python_type][0]
            form = {"type": "array", "maxItems": 100, "items": items}, []
        elif column.computed is None and column.type.python_type in FORMS:
            form = FORMS[column.type.python_type]
        else:
            continue
        if column.nullable and form[0] is not ID:
            form = {**form[0], "nullable": True}, form[1]
        found[column.key] = form
    return found


def _operation(order: "Order") -> Node:
    name, verb = order.model.__name__, order.verb
    words = WORD_STARTS.sub(" ", name).lower()
    things = f"the {order.tag.replace('_', ' ')}" if verb == "list" else f"a {words}"
    node: Node = {
        "operationId": order.operation,
        "tags": [order.tag],
        "summary": f"{verb.capitalize()} {things}",
        "x-permission": f"{order.tag}:{verb}",
    }
    if verb in ("create", "update", "delete"):
        node["x-audit"] = f"{order.tag}.{verb}"
    if verb == "create":
        node["x-idempotent"] = True
    if verb == "list":
        shared = ("Limit", "Cursor")
        node["parameters"] = [{"$ref": f"#/components/parameters/{each}"} for each in shared]
    if verb in ("create", "update"):
        schema = f"New{name}" if verb == "create" else f"{name}Changes"
        example = {key: example for key, (_, example) in columns(order, settable=True).items()}
        node["requestBody"] = {"required": True} | _content(schema, example)
    node["responses"] = _responses(order)
    return node


def _responses(order: "Order") -> Node:
    name = order.model.__name__
    row = {key: example for key, (_, example) in columns(order).items()}
    answers: dict[str, Node] = {
        "list": {"200": {"description": "A page."} | _content(f"{name}Page", _page(row))},
        "get": {"200": {"description": "What was asked for."} | _content(name, row)},
        "create": {"201": {"description": "It is stored."} | _content(name, row)},
        "update": {"200": {"description": "As it is now."} | _content(name, row)},
        "delete": {"204": {"description": "It is gone."}},
    }
    missing = {"404": {"$ref": "#/components/responses/404"}} if order.parameters else {}
    return answers[order.verb] | missing


def _schemas(order: "Order") -> Node:
    name = order.model.__name__
    row = _closed({key: schema for key, (schema, _) in columns(order).items()})
    page = {
        "items": {"type": "array", "maxItems": 100, "items": _to(name)},
        "next_cursor": {"type": "string", "maxLength": 500, "nullable": True},
    }
    body = {key: schema for key, (schema, _) in columns(order, settable=True).items()}
    changes = _closed(body, required=False)
    return {
        "list": {name: row, f"{name}Page": _closed(page)},
        "get": {name: row},
        "create": {name: row, f"New{name}": _closed(body)},
        "update": {name: row, f"{name}Changes": changes | {"minProperties": 1}},
        "delete": {},
    }[order.verb]


def _closed(properties: Node, *, required: bool = True) -> Node:
    node: Node = {"type": "object", "additionalProperties": False}
    return node | ({"required": list(properties)} if required else {}) | {"properties": properties}


def _page(row: Node) -> Node:
    return {"items": [row], "next_cursor": None}


def _to(schema: str) -> Node:
    return {"$ref": f"#/components/schemas/{schema}"}


def _content(schema: str, example: Node) -> Node:
    return {"content": {"application/json": {"schema": _to(schema), "example": example}}}


def _path_parameter(name: str) -> Node:
    words = name.removesuffix("_id").replace("_", " ")
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": f"The id of the {words}.",
        "schema": ID,
        "example": 42,
    }


def _indented(node: Node, spaces: int) -> str:
    text = yaml.dump(node, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=9999)
    return "".join(f"{' ' * spaces}{line}\n" for line in text.splitlines())


def _insert(text: str, after: str, new: str) -> str:
    found = re.search(after, text, re.MULTILINE)
    assert found is not None, after  # noqa: S101 - the callers have looked
    return text[: found.end()] + new + text[found.end() :]
