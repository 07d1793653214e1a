"""Rules of parameters."""

import re
from collections.abc import Callable, Iterator

from tools.contract.exceptions import Exceptions, compare
from tools.contract.walk import SNAKE, Node, follow, operations, parameters

HEADER = re.compile(r"[A-Z][A-Za-z0-9]*(-[A-Z][A-Za-z0-9]*)*")
SIMPLE = ("string", "integer", "number", "boolean")


def check_parameters(document: Node, exceptions: Exceptions) -> Iterator[str]:
    """Each has a name, a type, a description and an example, and a form that all clients know."""
    seen, without_example = set(), set()
    for name, path, _method, operation in operations(document):
        for parameter in parameters(document, path, operation):
            place = f"{name}: parameter {parameter['name']}"
            if (key := repr(parameter)) in seen:
                continue
            seen.add(key)
            yield from _form(document, place, parameter)
            if "example" not in parameter:
                without_example.add(parameter["name"])
    yield from compare(
        without_example,
        exceptions.parameters_without_example,
        field="parameters_without_example",
        what="parameter {}: write an `example` that could be sent just so.",
    )


def _form(document: Node, place: str, parameter: Node) -> Iterator[str]:
    header = parameter["in"] == "header"
    schema = follow(document, parameter.get("schema", {}))
    if not (HEADER if header else SNAKE).fullmatch(parameter["name"]):
        yield f"{place}: write its name {'as Words-In-Capitals' if header else 'in snake_case'}."
    if not parameter.get("description"):
        yield f"{place}: write a description."
    if parameter.get("required") and "default" in schema:
        yield f"{place}: required, it needs no `default`."
    if schema.get("nullable"):
        yield f"{place}: text is never null: make it optional instead of nullable."
    yield from _type(document, place, parameter, schema)


def _type(document: Node, place: str, parameter: Node, schema: Node) -> Iterator[str]:
    kind = schema.get("type")
    if kind == "array":
        items = follow(document, schema.get("items", {}))
        in_form = (parameter["in"], parameter.get("style")) == ("query", "form")
        if items.get("type") not in SIMPLE or not in_form:
            yield f"{place}: a list is of simple values, in the query, with `style: form`."
    elif kind not in SIMPLE:
        yield f"{place}: give its schema a simple `type`: no object, no oneOf, no `content`."
    if parameter["in"] == "header" and kind != "string":
        yield f"{place}: in a header, make it a string with a pattern."
    if parameter["in"] == "cookie":
        yield f"{place}: cookies belong to the security schemes; use a header or the query."
    if kind == "string" and not schema.keys() & {"pattern", "enum", "format"}:
        yield f"{place}: give the string a `pattern`, `format` or `enum`."


RULES: tuple[Callable[[Node, Exceptions], Iterator[str]], ...] = (check_parameters,)
