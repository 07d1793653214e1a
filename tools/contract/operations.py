"""Rules of operations: names, tags, paths, security, statuses, links."""

import itertools
import re
from collections.abc import Callable, Iterator

from marquee.web.contract import SAFE
from tools.contract.exceptions import Exceptions, compare
from tools.contract.walk import SNAKE, TEMPLATE, Node, follow, operations, parameters

VERBS = {
    "list": ("get",),
    "get": ("get",),
    "create": ("post",),
    "update": ("put", "patch"),
    "delete": ("delete",),
}
SEGMENT = re.compile(r"[a-z0-9]+([-.][a-z0-9]+)*|\{[a-z][a-z0-9]*(_[a-z0-9]+)*\}")
LONGEST_SUMMARY = 60
USERS = frozenset(("bearer", "api_key", "session"))
"""The schemes that stand for a user, who has roles."""


def check_names(document: Node, exceptions: Exceptions) -> Iterator[str]:
    """OperationIds are snake_case and begin with a verb that fits the method."""
    own, others = set(), set()
    for name, path, method, operation in operations(document):
        if not SNAKE.fullmatch(operation.get("operationId", "")):
            yield f"{name}: give {method.upper()} {path} an operationId in snake_case."
        verb = name.partition("_")[0]
        if verb not in VERBS:
            own.add(verb)
        elif method not in VERBS[verb]:
            others.add(name)
            if name not in exceptions.methods:
                words = " or ".join(VERBS[verb]).upper()
                yield f"{name}: {verb}_… is for {words}: choose another, or add it to `methods`."
    yield from compare(others & exceptions.methods, exceptions.methods, field="methods", what="{}")
    yield from compare(
        own,
        exceptions.verbs,
        field="verbs",
        what="The verb {} is new: use list, get, create, update or delete, or add it to `verbs`.",
    )


def check_tags(document: Node, _: Exceptions) -> Iterator[str]:
    """One declared tag, which is the name of the operation's file."""
    declared = [tag["name"] for tag in document.get("tags", [])]
    used = set()
    for name, _path, _method, operation in operations(document):
        tags = operation.get("tags", [])
        if len(tags) != 1:
            yield f"{name}: give it one tag, the name of its file."
            continue
        used.add(tags[0])
        module = operation.get("x-openapi-router-controller", "").split(".")
        if module[-2:-1] != tags:
            yield f"{name}: its tag is {tags[0]}, so it belongs in openapi/…/{tags[0]}.yaml."
    for tag in sorted(used - set(declared)):
        yield f"The tag {tag} is not declared: add it to `tags` of openapi.yaml."
    for tag in sorted(set(declared) - used):
        yield f"The tag {tag} has no operation: remove it from `tags` of openapi.yaml."
    for tag in document.get("tags", []):
        if not SNAKE.fullmatch(tag["name"]) or not tag.get("description"):
            yield f"The tag {tag['name']} needs a name in snake_case and a description."


def check_words(document: Node, _: Exceptions) -> Iterator[str]:
    """A summary that fits into a menu, and a description that says more."""
    for name, _path, _method, operation in operations(document):
        summary = operation.get("summary", "")
        if not 0 < len(summary) <= LONGEST_SUMMARY or summary.endswith("."):
            yield f"{name}: write a summary of at most {LONGEST_SUMMARY} characters, no stop."
        if not operation.get("description") or operation["description"].strip(". ") == summary:
            yield f"{name}: write a description that says more than the summary."


def check_paths(document: Node, _: Exceptions) -> Iterator[str]:
    """Kebab-case segments, a static path before a template, no path twice."""
    if list(document["paths"]) != sorted(document["paths"]):
        yield "The paths are not sorted: a template could hide a static path and its security."
    for path in document["paths"]:
        if not all(SEGMENT.fullmatch(each) for each in path.split("/")[1:]):
            yield f"{path}: write its segments in kebab-case, its parameters in snake_case."
    for one, other in itertools.combinations(document["paths"], 2):
        if TEMPLATE.sub("{}", one) == TEMPLATE.sub("{}", other):
            yield f"{one} and {other} are one path: give the parameters one name."
    for name, _path, method, operation in operations(document):
        if "requestBody" in operation and method in ("get", "delete"):
            yield f"{name}: {method.upper()} takes no body; use parameters."


def check_security(document: Node, exceptions: Exceptions) -> Iterator[str]:
    """Known schemes; CSRF beside the session where something changes; a permission for users."""
    known = document["components"]["securitySchemes"]
    default: list[Node] = document.get("security", [])
    if not default or {} in default:
        yield "openapi.yaml: `security` must ask for a credential; public operations say otherwise."
    free = set()
    for name, _path, method, operation in operations(document):
        alternatives = operation.get("security", default)
        for scheme in {scheme for each in alternatives for scheme in each} - set(known):
            yield f"{name}: there is no security scheme {scheme}."
        for each in alternatives:
            if method not in SAFE and "session" in each and "csrf" not in each:
                yield f"{name}: say csrf beside session: a form elsewhere could send the cookie."
        user_needed = {} not in alternatives and any(set(each) & USERS for each in alternatives)
        if user_needed and "x-permission" not in operation:
            free.add(name)
        if not user_needed and "x-permission" in operation:
            yield f"{name}: nobody need sign in, so x-permission has no effect: remove one of them."
    yield from compare(
        free,
        exceptions.without_permission,
        field="without_permission",
        what="{}: say by x-permission who may call it, or add it to `without_permission`.",
    )


def check_statuses(document: Node, _: Exceptions) -> Iterator[str]:
    """Statuses by number, errors by reference, no `default`, 404 where a path names something."""
    for name, path, _method, operation in operations(document):
        responses = operation["responses"]
        if "default" in responses:
            yield f"{name}: list its statuses; `default` hides those that are not documented."
        numbers = [status for status in responses if status != "default"]
        for status in numbers:
            if not re.fullmatch(r"[1-5]\d\d", status):
                yield f"{name}: write the status {status} as a number."
            elif status >= "400" and responses[status] != _shared(status):
                yield f"{name}: write {status} as {{$ref: '#/components/responses/{status}'}}."
        if not any("200" <= status < "400" for status in numbers):
            yield f"{name}: document what it answers when all is well."
        if TEMPLATE.search(path) and "404" not in responses:
            yield f"{name}: its path names something that may not exist: document 404."


def check_links(document: Node, exceptions: Exceptions) -> Iterator[str]:
    """From each 201 to what can be done with what was created, by parameters that exist."""
    by_name = {name: (path, each) for name, path, _, each in operations(document)}
    without = set()
    for name, _path, _method, operation in operations(document):
        for status, response in operation["responses"].items():
            links = follow(document, response).get("links", {})
            if status == "201" and not links:
                without.add(name)
            for link in links.values():
                target = by_name.get(link.get("operationId", ""))
                if target is None:
                    yield f"{name}: its link leads to no operation: name an operationId."
                    continue
                taken = {each["name"] for each in parameters(document, *target)}
                for parameter in link.get("parameters", {}).keys() - taken:
                    yield f"{name}: {link['operationId']} has no parameter {parameter} to link to."
    yield from compare(
        without,
        exceptions.without_links,
        field="without_links",
        what="{}: write `links` from its 201 to get, update, delete, or add it to `without_links`.",
    )


def _shared(status: str) -> Node:
    return {"$ref": f"#/components/responses/{status}"}


RULES: tuple[Callable[[Node, Exceptions], Iterator[str]], ...] = (
    check_names,
    check_tags,
    check_words,
    check_paths,
    check_security,
    check_statuses,
    check_links,
)
