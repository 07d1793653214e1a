"""Rules of the contract's extensions (`x-…`), each of which the engine acts upon."""

import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

from marquee.settings import Settings
from marquee.web.contract import METHODS, SAFE, is_anonymous
from marquee.web.plan import NOBODY, NOTHING
from tools.contract.exceptions import Exceptions, compare
from tools.contract.walk import TEMPLATE, Node, all_schemas, follow, operations

OF_OPERATIONS = frozenset(
    (
        "x-permission",
        "x-cache",
        "x-rate-limit",
        "x-audit",
        "x-idempotent",
        "x-if-match",
        "x-open-query",
        "x-waits",
        "x-openapi-router-controller",
    )
)
OF_BODIES = frozenset(("x-max-bytes",))
OF_PATHS = frozenset(("x-moved-from", "x-also-at"))
OF_SCHEMAS = frozenset(("x-error-code",))
OF_SCHEMES = frozenset(("x-bearerInfoFunc", "x-apikeyInfoFunc", "x-availableFunc"))
POLICIES = ("default", "auth", "posters", "recommendations", "none")
"""The rate limits that a server has settings for."""
WAITS = (True, NOTHING, NOBODY, *(field.name for field in fields(Settings)))
PERMISSION = re.compile(r"[a-z]+(_[a-z]+)*:[a-z]+(_[a-z]+)*")
ACTION = re.compile(r"[a-z]+(_[a-z]+)*(\.[a-z]+(_[a-z]+)*){1,2}")
"""A thing and what is done to it, perhaps after where it belongs: `admin.role.assign`."""
PATH = re.compile(r"(/[^/?#\s]+)+")


def check_known(document: Node, _: Exceptions) -> Iterator[str]:
    """Every `x-` key is one that is acted upon, where it is acted upon."""
    for place, key in _extensions(document, "", frozenset()):
        yield f"{place}: nothing reads {key} here: correct its name, or remove it."


def check_audit(document: Node, exceptions: Exceptions) -> Iterator[str]:
    """Every write is audited, by a name of the form `thing.action`."""
    without = set()
    for name, _path, method, operation in operations(document):
        action = operation.get("x-audit")
        if method not in SAFE and action is None:
            without.add(name)
        if action is not None and not ACTION.fullmatch(str(action)):
            yield f"{name}: write x-audit as `thing.action`, not {action}."
    yield from compare(
        without,
        exceptions.without_audit,
        field="without_audit",
        what="{}: name the action for the audit log by x-audit (`rating.create`).",
    )


def check_values(document: Node, _: Exceptions) -> Iterator[str]:
    """Permissions, rate limits and caching are of the forms that the engine knows."""
    default = document.get("security", [])
    for name, _path, method, operation in operations(document):
        permission = operation.get("x-permission")
        if permission is not None and not PERMISSION.fullmatch(str(permission)):
            yield f"{name}: write x-permission as `resource:action`, not {permission}."
        if operation.get("x-waits", True) not in WAITS:
            yield (
                f"{name}: x-waits is `true`, a setting with which it waits, `nothing`, `nobody`,"
                " or absent."
            )
        if operation.get("x-rate-limit", "default") not in POLICIES:
            yield f"{name}: x-rate-limit is one of {', '.join(POLICIES)}."
        cache = operation.get("x-cache")
        if cache is None:
            continue
        if not (_is_private_cache(cache) or _is_public_cache(cache)):
            yield (
                f"{name}: write x-cache as {{scope: public}} or {{scope: private}}; public answers "
                "may have `max_age`, `stale_while_revalidate` and `stored: false`, private ones "
                "that are the same for all who may have them `stored: once`, or `until: channel` "
                "with the parameters `unless` which they are the caller's own, and a `stamp`."
            )
        elif method != "get":
            yield f"{name}: only the answer of a GET can be cached."
        elif cache["scope"] == "public" and not is_anonymous(operation, default):
            yield f"{name}: an answer that needs a credential is cached as `private`."


def _is_private_cache(cache: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether private caching is of a form that the engine knows."""
    if not isinstance(cache, dict) or cache.get("scope") != "private":
        return False
    rest = {name: value for name, value in cache.items() if name != "scope"}
    if "until" not in rest:
        return rest in ({}, {"stored": "once"})
    return set(rest) <= {"until", "unless", "stamp"}


def _is_public_cache(cache: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether public caching is of the form that the engine knows; times are in seconds."""
    if not isinstance(cache, dict) or cache.get("scope") != "public":
        return False
    times = [cache[name] for name in ("max_age", "stale_while_revalidate") if name in cache]
    known = {"scope", "stored", "max_age", "stale_while_revalidate"}
    return (
        set(cache) <= known
        and cache.get("stored", False) is False
        and ("max_age" in cache or len(cache) == 1)
        and all(type(each) is int and each >= 0 for each in times)
    )


def check_idempotency(document: Node, exceptions: Exceptions) -> Iterator[str]:
    """A POST that creates can be sent again without harm."""
    without = set()
    for name, _path, method, operation in operations(document):
        given = operation.get("x-idempotent")
        if given is not None and (given is not True or method != "post"):
            yield f"{name}: x-idempotent is for POST, and is `true` or absent."
        if method == "post" and "201" in operation["responses"] and not given:
            without.add(name)
    yield from compare(
        without,
        exceptions.without_idempotency,
        field="without_idempotency",
        what="{}: it creates something: say `x-idempotent: true`, or add it to the exceptions.",
    )


def check_conditions(document: Node, _: Exceptions) -> Iterator[str]:
    """`If-Match` is for changes, which answer with the new `ETag`."""
    for name, _path, method, operation in operations(document):
        given = operation.get("x-if-match")
        if given is None:
            continue
        if given not in ("optional", "required") or method in ("get", "post"):
            yield f"{name}: x-if-match is `optional` or `required`, on PUT, PATCH or DELETE."
        for status, response in operation["responses"].items():
            headers = follow(document, response).get("headers", {})
            if status in ("200", "201") and "ETag" not in headers:
                yield f"{name} {status}: promise the `ETag` that the next If-Match will name."


def check_error_codes(document: Node, _: Exceptions) -> Iterator[str]:
    """`x-error-code` is one of the codes of the envelope."""
    known = document["components"]["schemas"].get("ErrorCode", {}).get("enum", [])
    for place, schema in all_schemas(document):
        code = schema.get("x-error-code")
        if code is not None and code not in known:
            yield f"{place}: {code} is not among the values of ErrorCode: add it there."
        if code is not None and schema.get("type") not in ("integer", "number"):
            yield f"{place}: x-error-code is for numbers out of their range."


def check_moved(document: Node, _: Exceptions) -> Iterator[str]:
    """Old paths name the same values and are nobody's present path."""
    seen: set[str] = set(document["paths"])
    for path, item in document["paths"].items():
        old = item.get("x-moved-from", [])
        if not isinstance(old, list):
            yield f"{path}: write x-moved-from as a list."
            continue
        for each in old:
            if not PATH.fullmatch(each) or set(TEMPLATE.findall(each)) != set(
                TEMPLATE.findall(path)
            ):
                yield f"{path}: {each} must be a path with the same parameters."
            if each in seen:
                yield f"{path}: {each} is served or moved already."
            seen.add(each)
        also = item.get("x-also-at")
        if also is not None and not PATH.fullmatch(str(also)):
            yield f"{path}: x-also-at is a path from the server's root."


def _extensions(node: Any, place: str, known: frozenset[str]) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any JSON
    """Every `x-` key that is not known where it stands."""
    if isinstance(node, list):
        for number, each in enumerate(node):
            yield from _extensions(each, f"{place}/{number}", _known(place, "", known))
        return
    if not isinstance(node, dict):
        return
    names = place.endswith(("/properties", "/headers", "/parameters", "/mapping"))
    for key, value in node.items():
        if key.startswith("x-") and key not in known and not names:
            yield place or "/", key
        elif key not in ("example", "examples") or names:
            yield from _extensions(value, f"{place}/{key}", _known(place, key, known))


def _known(place: str, key: str, known: frozenset[str]) -> frozenset[str]:
    """The extensions that may stand in a child, by its name and its parent's place."""
    if place == "/paths":
        return OF_PATHS
    if place.startswith("/paths/") and known == OF_PATHS:
        return OF_OPERATIONS if key in METHODS else frozenset()
    if key == "requestBody" and known == OF_OPERATIONS:
        return OF_BODIES
    if place == "/components/securitySchemes":
        return OF_SCHEMES
    in_schema = key in ("schema", "items", "additionalProperties") or place.endswith(
        ("/components/schemas", "/properties", "Of")
    )
    return OF_SCHEMAS if in_schema else frozenset()


RULES: tuple[Callable[[Node, Exceptions], Iterator[str]], ...] = (
    check_known,
    check_audit,
    check_values,
    check_idempotency,
    check_conditions,
    check_error_codes,
    check_moved,
)
