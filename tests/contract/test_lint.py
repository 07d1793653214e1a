"""Each rule of the contract notices when it is broken."""

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from marquee.web import contract
from tools.contract.lint import lint_document
from tools.contract.walk import reached

Document = dict[str, Any]


def operation(document: Document, name: str) -> Document:
    return next(each for _, _, each in contract.operations(document) if each["operationId"] == name)


def schema(document: Document, name: str, **changes: Any) -> None:
    """Change a component schema; a keyword of None is removed."""
    found = document["components"]["schemas"][name]
    found |= changes
    for keyword in [key for key, value in found.items() if value is None]:
        del found[keyword]


def parameter(document: Document, name: str, which: str) -> Document:
    return next(
        each for each in operation(document, name)["parameters"] if each.get("name") == which
    )


def rename(document: Document, old: str, new: str) -> Document:
    document["paths"] = {
        (new if path == old else path): item for path, item in document["paths"].items()
    }
    return document


@cache
def part(*tags: str) -> Document:
    """The contract of some tags alone, which the rules are through with sooner."""
    document = contract.load()
    paths = {
        path: item
        for path, item in document["paths"].items()
        if any(set(tags) & set(each["tags"]) for each in item.values() if "tags" in each)
    }
    components = document["components"]
    used = reached(document, [paths, components["responses"], components["parameters"]])
    schemas = {name: each for name, each in components["schemas"].items() if name in used}
    return document | {"paths": paths, "components": components | {"schemas": schemas}}


SPOILT = ("auth", "favorites", "movies", "ratings", "system")
MOVIE = "/movies/{movie_id}"
OF_MOVIES = "list_movies: parameter"
BREAKS: list[tuple[str, Callable[[Document], object]]] = [
    # what OpenAPI itself says
    ("write it as OpenAPI 3.0.3 says", lambda d: d["info"].pop("title")),
    # references
    (
        "#/components/schemas/Nothing does not exist",
        lambda d: schema(
            d, "Alive", properties={"status": {"$ref": "#/components/schemas/Nothing"}}
        ),
    ),
    (
        "refer to a component",
        lambda d: schema(d, "Alive", properties={"status": {"$ref": "common.yaml#/Id"}}),
    ),
    (
        "components/schemas/Spare is used nowhere",
        lambda d: d["components"]["schemas"].update(Spare={"type": "boolean"}),
    ),
    (
        "components/securitySchemes/cron_secret is used nowhere",
        lambda d: operation(d, "run_cron_cleanup").update(security=[{"metrics_token": []}]),
    ),
    (
        "it looks like a template",
        lambda d: operation(d, "login").update(description="A {{ name }}."),
    ),
    # operations
    (
        "an operationId in snake_case",
        lambda d: operation(d, "get_movie").update(operationId="getMovie"),
    ),
    ("get_… is for GET", lambda d: operation(d, "create_favorite").update(operationId="get_one")),
    (
        "The verb fetch is new",
        lambda d: operation(d, "get_movie").update(operationId="fetch_movie"),
    ),
    ("verbs lists logout", lambda d: operation(d, "logout").update(operationId="create_logout")),
    ("give it one tag", lambda d: operation(d, "login").update(tags=["auth", "users"])),
    ("so it belongs in openapi/…/users", lambda d: operation(d, "login").update(tags=["users"])),
    ("The tag films is not declared", lambda d: operation(d, "get_movie").update(tags=["films"])),
    ("The tag shows has no operation", lambda d: d["tags"].append({"name": "shows"})),
    ("a name in snake_case and a description", lambda d: d["tags"][0].pop("description")),
    ("write a summary", lambda d: operation(d, "login").update(summary="Sign in.")),
    ("write a summary", lambda d: operation(d, "login").update(summary="S" * 61)),
    (
        "says more than the summary",
        lambda d: operation(d, "get_movie").update(description="Get a film."),
    ),
    (
        "The paths are not sorted",
        lambda d: d.update(paths=dict(sorted(d["paths"].items(), reverse=True))),
    ),
    ("in kebab-case", lambda d: rename(d, "/build", "/Build")),
    (
        "are one path",
        lambda d: (
            rename(d, "/movies/popular", "/movies/{id}"),
            parameter(d, "list_popular_movies", "page").update(
                {"name": "id", "in": "path", "required": True}
            ),
        ),
    ),
    (
        "GET takes no body",
        lambda d: operation(d, "get_movie").update(
            requestBody=operation(d, "login")["requestBody"]
        ),
    ),
    ("must ask for a credential", lambda d: d.update(security=[{"bearer": []}, {}])),
    (
        "there is no security scheme basic",
        lambda d: operation(d, "get_movie").update(security=[{"basic": []}]),
    ),
    (
        "say csrf beside session",
        lambda d: operation(d, "create_favorite").update(security=[{"session": []}]),
    ),
    ("say by x-permission", lambda d: operation(d, "get_movie").pop("x-permission")),
    (
        "nobody need sign in",
        lambda d: operation(d, "get_health").update({"x-permission": "health:get"}),
    ),
    (
        "`default` hides",
        lambda d: operation(d, "login")["responses"].update(default={"description": "Else."}),
    ),
    (
        "write the status 4XX as a number",
        lambda d: operation(d, "login")["responses"].update({"4XX": {"description": "No."}}),
    ),
    (
        "write 404 as {$ref: '#/components/responses/404'}",
        lambda d: operation(d, "get_movie")["responses"].update({"404": {"description": "No."}}),
    ),
    ("what it answers when all is well", lambda d: operation(d, "login")["responses"].pop("200")),
    ("document 404", lambda d: operation(d, "get_movie")["responses"].pop("404")),
    (
        "write `links` from its 201",
        lambda d: operation(d, "create_favorite")["responses"]["201"].pop("links"),
    ),
    (
        "leads to no operation",
        lambda d: operation(d, "create_favorite")["responses"]["201"]["links"]["delete"].update(
            operationId="remove_favorite"
        ),
    ),
    (
        "has no parameter id to link to",
        lambda d: operation(d, "create_favorite")["responses"]["201"]["links"]["delete"][
            "parameters"
        ].update(id="$response.body#/id"),
    ),
    # parameters
    (
        f"{OF_MOVIES} minScore: write its name",
        lambda d: parameter(d, "list_movies", "min_score").update(name="minScore"),
    ),
    (
        "as Words-In-Capitals",
        lambda d: d["components"]["parameters"]["IfMatch"].update(name="if_match"),
    ),
    (
        f"{OF_MOVIES} query: write a desc",
        lambda d: parameter(d, "list_movies", "query").pop("description"),
    ),
    (
        "parameter sort: write an `example`",
        lambda d: parameter(d, "list_movies", "sort").pop("example"),
    ),
    (
        "no object, no oneOf",
        lambda d: parameter(d, "list_movies", "query")["schema"].update(type="object"),
    ),
    (
        f"{OF_MOVIES} genre: a list is",
        lambda d: parameter(d, "list_movies", "genre").update(style="pipeDelimited"),
    ),
    (
        "in a header, make it a string",
        lambda d: d["components"]["parameters"]["IfMatch"]["schema"].update(type="integer"),
    ),
    ("cookies belong to", lambda d: parameter(d, "list_movies", "query").update({"in": "cookie"})),
    (
        "a `pattern`, `format` or `enum`",
        lambda d: parameter(d, "list_movies", "query")["schema"].pop("pattern"),
    ),
    ("it needs no `default`", lambda d: parameter(d, "list_movies", "sort").update(required=True)),
    (
        "text is never null",
        lambda d: parameter(d, "list_movies", "query")["schema"].update(nullable=True),
    ),
    # bodies
    (
        "choose one media type",
        lambda d: operation(d, "get_metrics")["responses"]["200"]["content"].update(
            {"text/html": {"schema": {"type": "string", "maxLength": 9}}}
        ),
    ),
    (
        "whether its body is `required`",
        lambda d: operation(d, "login")["requestBody"].pop("required"),
    ),
    (
        "not text/plain",
        lambda d: operation(d, "login")["requestBody"].update(
            content={"text/plain": {"schema": {"type": "string", "maxLength": 9}}}
        ),
    ),
    (
        "give its schema a name",
        lambda d: operation(d, "login")["requestBody"]["content"]["application/json"].update(
            schema={"type": "object", "additionalProperties": False}
        ),
    ),
    (
        "wrap the list in an object",
        lambda d: schema(d, "Alive", type="array", items={}, maxItems=1),
    ),
    (
        "its body: write an `example`",
        lambda d: operation(d, "login")["requestBody"]["content"]["application/json"].pop(
            "example"
        ),
    ),
    (
        "its example breaks its schema",
        lambda d: operation(d, "create_favorite")["requestBody"]["content"][
            "application/json"
        ].update(example={"movie_id": 0}),
    ),
    (
        "the example of min_score breaks",
        lambda d: parameter(d, "list_movies", "min_score").update(example=11),
    ),
    # schemas
    (
        "nothing stands beside $ref",
        lambda d: d["components"]["schemas"]["FavoritePage"]["properties"]["favorites"][
            "items"
        ].update(nullable=True),
    ),
    ("Year: give it a `type`", lambda d: schema(d, "Year", type=None)),
    (
        "`nullable` needs `type`",
        lambda d: schema(d, "Year", type=None, nullable=True, allOf=[{"type": "integer"}]),
    ),
    ("`anyOf` is not for this", lambda d: schema(d, "Year", anyOf=[{"type": "integer"}])),
    ("`readOnly` is not for this", lambda d: schema(d, "Year", readOnly=True)),
    ("a `discriminator`", lambda d: schema(d, "Year", oneOf=[{"type": "integer"}])),
    ("`minimum` and a `maximum`", lambda d: schema(d, "Year", maximum=None)),
    ("within 2^53 - 1", lambda d: schema(d, "Id", maximum=2**63)),
    (
        "Credentials.username: give the string a `maxLength`",
        lambda d: d["components"]["schemas"]["Credentials"]["properties"]["username"].pop(
            "maxLength"
        ),
    ),
    (
        "begin its pattern with ^",
        lambda d: d["components"]["parameters"]["Cursor"]["schema"].update(pattern="[a-z]+"),
    ),
    (
        "is not a 'regex'",
        lambda d: d["components"]["parameters"]["Cursor"]["schema"].update(pattern="^([a-z]+$"),
    ),
    (
        "give the array `maxItems`",
        lambda d: d["components"]["schemas"]["FavoritePage"]["properties"]["favorites"].pop(
            "maxItems"
        ),
    ),
    ("the format ipv7 is not checked", lambda d: schema(d, "Year", format="ipv7")),
    (
        "Credentials: close the object",
        lambda d: schema(d, "Credentials", additionalProperties=None),
    ),
    (
        "give the map `maxProperties`",
        lambda d: schema(d, "Credentials", additionalProperties={"type": "string", "maxLength": 9}),
    ),
    (
        "code is required, but no property",
        lambda d: schema(d, "Credentials", required=["username", "password", "code"]),
    ),
    ("Alive: an answer has all", lambda d: schema(d, "Alive", required=None)),
    (
        "not_all_required lists ErrorBody",
        lambda d: schema(d, "ErrorBody", required=["code", "message", "details"]),
    ),
    (
        "name would hide a builtin",
        lambda d: d["components"]["schemas"].update(Exception={"type": "boolean"}),
    ),
    (
        "name in PascalCase",
        lambda d: d["components"]["schemas"].update(movie_page={"type": "boolean"}),
    ),
    (
        "Alive.isAlive: write the property's name",
        lambda d: schema(d, "Alive", properties={"isAlive": {"type": "boolean"}}),
    ),
    (
        "Alive.cast: the name is a word",
        lambda d: schema(d, "Alive", properties={"cast": {"type": "boolean"}}),
    ),
    ("an enum is of strings", lambda d: schema(d, "AgeRating", enum=["G", 15])),
    ("differ in more than case", lambda d: schema(d, "AgeRating", enum=["G", "g"])),
    # extensions
    (
        "nothing reads x-permision",
        lambda d: operation(d, "get_movie").update({"x-permision": "movies:get"}),
    ),
    ("nothing reads x-audit", lambda d: d["paths"][MOVIE].update({"x-audit": "movie.get"})),
    ("nothing reads x-permission", lambda d: schema(d, "Year", **{"x-permission": "movies:get"})),
    ("name the action for the audit log", lambda d: operation(d, "login").pop("x-audit")),
    ("`thing.action`", lambda d: operation(d, "login").update({"x-audit": "signed in"})),
    ("`resource:action`", lambda d: operation(d, "get_movie").update({"x-permission": "movies"})),
    ("x-rate-limit is one of", lambda d: operation(d, "login").update({"x-rate-limit": "slow"})),
    ("{scope: public} or", lambda d: operation(d, "get_movie").update({"x-cache": {"seconds": 9}})),
    (
        "only the answer of a GET",
        lambda d: operation(d, "login").update({"x-cache": {"scope": "private"}}),
    ),
    (
        "is cached as `private`",
        lambda d: operation(d, "get_movie").update({"x-cache": {"scope": "public"}}),
    ),
    (
        "x-idempotent is for POST",
        lambda d: operation(d, "update_star_rating").update({"x-idempotent": True}),
    ),
    ("it creates something", lambda d: operation(d, "create_favorite").pop("x-idempotent")),
    (
        "x-if-match is `optional`",
        lambda d: operation(d, "update_star_rating").update({"x-if-match": "sometimes"}),
    ),
    (
        "promise the `ETag`",
        lambda d: operation(d, "update_star_rating")["responses"]["200"].pop("headers"),
    ),
    ("TOO_BIG is not among", lambda d: schema(d, "Stars", **{"x-error-code": "TOO_BIG"})),
    (
        "numbers out of their range",
        lambda d: schema(d, "CheckState", **{"x-error-code": "INVALID_RATING"}),
    ),
    ("x-moved-from as a list", lambda d: d["paths"]["/build"].update({"x-moved-from": "/version"})),
    ("with the same parameters", lambda d: d["paths"][MOVIE].update({"x-moved-from": ["/films"]})),
    (
        "served or moved already",
        lambda d: d["paths"]["/build"].update({"x-moved-from": ["/movies"]}),
    ),
    ("from the server's root", lambda d: d["paths"]["/healthz"].update({"x-also-at": "healthz"})),
]


BREAKS_OPENAPI: list[tuple[str, Callable[[Document], object]]] = [
    (
        "'list_movies' for 'get' in '/movies/{movie_id}' is not unique",
        lambda d: operation(d, "get_movie").update(operationId="list_movies"),
    ),
    ("Path parameter 'movie_id' for 'get'", lambda d: d["paths"][MOVIE].pop("parameters")),
    ("'Z' is not one of", lambda d: schema(d, "AgeRating", default="Z")),
]
"""What no rule of ours looks at."""


@pytest.mark.parametrize("expected,spoil", BREAKS, ids=[each[0] for each in BREAKS])
def test_rule_notices(expected: str, spoil: Callable[[Document], object]) -> None:
    document = copy.deepcopy(part(*SPOILT))
    spoil(document)
    found = lint_document(document)
    assert any(expected in finding for finding in found), found


@pytest.mark.parametrize("expected,spoil", BREAKS_OPENAPI, ids=[each for each, _ in BREAKS_OPENAPI])
def test_openapi_notices(expected: str, spoil: Callable[[Document], object]) -> None:
    document = copy.deepcopy(contract.load())
    spoil(document)
    found = lint_document(document)
    assert any(expected in finding for finding in found), found
