"""The contract: every file under openapi/ as one document, completed by the rules that it
states.
"""

import copy
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from marquee import __version__

Document = dict[str, Any]

PACKAGE = Path(__file__).parents[1]
METHODS = ("get", "put", "post", "patch", "delete")
LENIENT = frozenset(("browser", "csrf", "oidc_browser"))
"""Schemes that never give 401: what is bad of them is 403, or counts as none."""
SAFE = ("get",)
INTERNAL = (
    "x-openapi-router-controller",
    "x-bearerInfoFunc",
    "x-apikeyInfoFunc",
    "x-availableFunc",
)


def root() -> Path:
    """The folder of the contract's files: beside the sources, or inside an installed package."""
    beside = PACKAGE.parents[1] / "openapi"
    return beside if beside.is_dir() else PACKAGE / "openapi"


@cache
def load(folder: Path | None = None) -> Document:
    """Merge and complete the files. Raises ValueError for a name that is defined twice.

    A file's path names the handler module of its operations: `taste/ratings.yaml` is served by
    `marquee.taste.ratings.handlers`. Paths come out sorted, which puts a static segment before a
    template at every depth: Connexion applies the security of the first path that matches.
    """
    folder = folder or root()
    contract: Document = {"paths": {}, "components": {}}
    for file in sorted(folder.rglob("*.yaml")):
        part = yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)
        module = ".".join(("marquee", *file.relative_to(folder).with_suffix("").parts, "handlers"))
        for path, item in part.pop("paths", {}).items():
            for method in item.keys() & set(METHODS):
                item[method]["x-openapi-router-controller"] = module
            _add(contract["paths"], path, item, file)
        for kind, named in part.pop("components", {}).items():
            for name, value in named.items():
                _add(contract["components"].setdefault(kind, {}), name, value, file)
        contract |= part
    return complete(contract)


def complete(contract: Document) -> Document:
    """The contract with what its rules imply, paths sorted.

    Version; answers of `x-implied-responses`; the parameters of `x-idempotent` and `x-if-match`;
    CSRF beside the session cookie on unsafe methods. Components come out as copies, so that no two
    places share one object.
    """
    contract = copy.deepcopy(contract)
    contract["info"] = {**contract["info"], "version": __version__}
    contract["paths"] = dict(sorted(contract["paths"].items()))
    implied = contract.pop("x-implied-responses", {})
    default = contract.get("security", [])
    for _, method, operation in operations(contract):
        _complete_operation(operation, method, default, implied)
    return contract


def published(contract: Document) -> Document:
    """The contract as clients get it: without the names of our modules."""

    def strip(node: Any) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(node, dict):
            return {name: strip(value) for name, value in node.items() if name not in INTERNAL}
        return [strip(each) for each in node] if isinstance(node, list) else node

    stripped: Document = strip(contract)
    return stripped


def as_yaml(document: Document) -> bytes:
    """A contract as YAML."""
    text: str = yaml.dump(document, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True)
    return text.encode()


class _PlainDumper(yaml.CSafeDumper):
    """YAML without anchors: some readers of contracts do not know them."""

    def ignore_aliases(self, _data: object) -> bool:
        """Write every node out."""
        return True


def operations(contract: Document) -> Iterator[tuple[str, str, Document]]:
    """Each operation of the contract, as (path, method, operation)."""
    for path, item in contract["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def operation_at(contract: Document, method: str, url: str) -> Document:
    """The operation that serves a URL. Raises LookupError where none does."""
    base = contract["servers"][0]["url"]
    url = url.split("?", maxsplit=1)[0].removeprefix(base)
    # What a template serves too moves by its numbers alone, for methods that are served there.
    is_moved = any(
        _serves(old, url, "[0-9]+") and ("{" not in old or method.lower() in item)
        for item in contract["paths"].values()
        for old in item.get("x-moved-from", ())
    )
    for path, item in contract["paths"].items():
        if is_moved:
            break
        if _serves(path, url, "[^/]+"):
            if method.lower() not in item:
                break
            operation: Document = item[method.lower()]
            return operation
    raise LookupError(f"No operation serves {method} {url}.")


def _serves(path: str, url: str, value: str) -> bool:
    """Whether a URL is one of a path, with values of a pattern."""
    return re.fullmatch(re.sub(r"\\\{[^}]*\\\}", value, re.escape(path)), url) is not None


def is_anonymous(operation: Document, default: list[Document]) -> bool:
    """Whether the contract lets anyone call this operation without a credential."""
    security = operation.get("security", default)
    return not security or {} in security


def _complete_operation(
    operation: Document, method: str, default: list[Document], implied: dict[str, list[str]]
) -> None:
    if "security" not in operation and method not in SAFE:
        operation["security"] = [
            {**scheme, "csrf": []} if "session" in scheme else dict(scheme) for scheme in default
        ]
    if operation.get("x-idempotent"):
        _parameter(operation, "IdempotencyKey")
    if operation.get("x-if-match"):
        _parameter(operation, "IfMatch")
    for trait, statuses in implied.items():
        if _has(trait, operation, default):
            for status in statuses:
                reference = {"$ref": f"#/components/responses/{status}"}
                operation["responses"].setdefault(status, reference)
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _has(trait: str, operation: Document, default: list[Document]) -> bool:
    if trait == "always":
        return True
    if trait == "secured":
        return any(set(each) - LENIENT for each in operation.get("security", default))
    if trait == "answers":
        return any("content" in response for response in operation["responses"].values())
    return bool(operation.get(trait))


def _parameter(operation: Document, name: str) -> None:
    reference = {"$ref": f"#/components/parameters/{name}"}
    operation.setdefault("parameters", []).append(reference)


def _add(section: Document, name: str, value: object, file: Path) -> None:
    if name in section:
        raise ValueError(f"{file}: {name} is defined twice.")
    section[name] = value
