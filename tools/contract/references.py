"""Rules of names and references: each leads somewhere, and each component is used."""

from collections.abc import Callable, Iterator
from typing import Any

from tools.contract.exceptions import Exceptions
from tools.contract.walk import Node, follow

LITERAL = ("example", "examples", "enum", "default")


def check_references(document: Node, _: Exceptions) -> Iterator[str]:
    """References stay in the document and lead to a component."""
    for place, reference in references(document):
        if not reference.startswith("#/components/"):
            yield f"{place}: {reference} - refer to a component: '#/components/…'."
            continue
        try:
            follow(document, {"$ref": reference})
        except KeyError:
            yield f"{place}: {reference} does not exist - define it, or correct the name."


def check_components_are_used(document: Node, _: Exceptions) -> Iterator[str]:
    """Every component is used, from the paths on."""
    used: set[str] = set()
    waiting: list[Any] = [document["paths"]]
    while waiting:
        for _place, reference in references(waiting.pop()):
            if reference not in used:
                used.add(reference)
                waiting.append(follow(document, {"$ref": reference}))
    needed = [document.get("security", []), *_requirements(document)]
    used |= {
        f"#/components/securitySchemes/{name}"
        for alternatives in needed
        for each in alternatives
        for name in each
    }
    for kind, named in document["components"].items():
        for name in named:
            if f"#/components/{kind}/{name}" not in used:
                yield f"components/{kind}/{name} is used nowhere: remove it."


def check_templates(document: Node, _: Exceptions) -> Iterator[str]:
    """No text looks like a template: Connexion would run Jinja2 over it."""
    for place, text in texts(document):
        if "{{" in text or "{%" in text:
            yield f"{place}: write no '{{{{' and no '{{%' here: it looks like a template."


def references(node: Any, place: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any JSON
    """Every `$ref` with its place; examples are not looked into."""
    if isinstance(node, list):
        for number, each in enumerate(node):
            yield from references(each, f"{place}/{number}")
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield place or "/", node["$ref"]
        for key, value in node.items():
            if key not in LITERAL or place.endswith("/properties"):
                yield from references(value, f"{place}/{key}")


def texts(node: Any, place: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any JSON
    """Every string with its place."""
    if isinstance(node, str):
        yield place, node
    children = node.items() if isinstance(node, dict) else ()
    for key, value in enumerate(node) if isinstance(node, list) else children:
        yield from texts(value, f"{place}/{key}")


def _requirements(document: Node) -> Iterator[list[Node]]:
    for item in document["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict) and "security" in operation:
                yield operation["security"]


RULES: tuple[Callable[[Node, Exceptions], Iterator[str]], ...] = (
    check_components_are_used,
    check_templates,
)
