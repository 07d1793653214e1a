"""The contract is sound, and the code is the one that it describes."""

import ast
import inspect
import itertools
import keyword
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from marquee.web import contract
from marquee.web.app import App
from marquee.web.parameters import ENGINE_HEADERS, argument_name
from marquee.web.routing import TEMPLATE
from tests.contract.calls import BY_NAME, OPERATIONS, Operation, name_of
from tools.contract.exceptions import AGREED

TESTS = Path(__file__).parents[1]
BUNDLE = contract.load()
BASE = BUNDLE["servers"][0]["url"]
PATHS = list(BUNDLE["paths"])


def lines_of(name: str) -> list[str]:
    """The lines of a list that is compared exactly, without its comments."""
    text = Path(__file__).with_name(name).read_text()
    return [line for line in text.splitlines() if line and not line.startswith("#")]


class TestDocument:
    def test_is_valid_openapi(self) -> None:
        OpenAPIV30SpecValidator(contract.published(BUNDLE)).validate()

    def test_version_is_that_of_connexion(self) -> None:
        assert re.fullmatch(r"3\.0\.\d", BUNDLE["openapi"]), "Connexion 3.3 refuses OpenAPI 3.1."

    def test_published_document_names_no_module_of_ours(self) -> None:
        assert "marquee." not in str(contract.published(BUNDLE))

    def test_operation_ids_are_unique_snake_case(self) -> None:
        names = [operation.name for operation in OPERATIONS]
        assert sorted(set(names)) == sorted(names)
        wrong = [each for each in names if not re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", each)]
        assert wrong == [], "operationIds are snake_case: rename these."

    def test_tags_are_declared_and_used(self) -> None:
        declared = [tag["name"] for tag in BUNDLE["tags"]]
        used = {operation.definition["tags"][0] for operation in OPERATIONS}
        assert sorted(declared) == sorted(used), "openapi.yaml lists the tags that files use."
        for operation in OPERATIONS:
            assert operation.definition["tags"] == [operation.controller[1]], (
                f"{operation.name} stands in another tag's file: one tag, one file."
            )

    def test_no_status_is_undocumented(self) -> None:
        assert [
            each.name for each in OPERATIONS if "default" in each.definition["responses"]
        ] == [], "A `default` response hides undocumented statuses: list each by number."


def overlapping() -> Iterator[tuple[str, str, str]]:
    """Pairs of paths that one URL can match, the more specific first, with such a URL."""
    for pair in itertools.permutations(PATHS, 2):
        first, second = (path.split("/") for path in pair)
        if len(first) != len(second):
            continue
        both = list(zip(first, second, strict=True))
        if any(a != b and "{" not in a and "{" not in b for a, b in both):
            continue
        decisive = next(
            ("{" in b and "{" not in a for a, b in both if ("{" in a) != ("{" in b)), False
        )
        if decisive:
            yield (*pair, "/".join("7" if "{" in a and "{" in b else min(a, b) for a, b in both))


class TestRouting:
    def test_paths_are_sorted(self) -> None:
        assert sorted(PATHS) == PATHS

    @pytest.mark.parametrize("first,second,url", list(overlapping()))
    def test_static_path_wins_with_its_own_security(
        self, app: App, first: str, second: str, url: str
    ) -> None:
        assert PATHS.index(first) < PATHS.index(second), (
            "Connexion applies the security of the first path that matches."
        )
        found = app.engine.routes.find(BASE + url)
        assert found is not None
        for method, plan in found[0].items():
            operation = BUNDLE["paths"][first][method.lower()]
            assert plan.template == first
            assert plan.operation_id == operation["operationId"]
            required = operation.get("security", BUNDLE["security"])
            compiled = [[scheme.name for scheme in each] for each in plan.security.alternatives]
            assert compiled == [list(each) for each in required if each]
            assert plan.permission == operation.get("x-permission")

    @pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
    def test_each_operation_is_served(self, app: App, operation: Operation) -> None:
        found = app.engine.routes.find(BASE + TEMPLATE.sub("7", operation.path))
        assert found is not None
        assert found[0][operation.method.upper()].operation_id == operation.name

    def test_probes_are_served_at_the_root_too(self, app: App) -> None:
        for path in ("/healthz", "/readyz", "/startupz"):
            assert app.engine.routes.find(path) is not None

    def test_moved_paths_keep_their_values(self) -> None:
        for path, item in BUNDLE["paths"].items():
            for old in item.get("x-moved-from", []):
                assert old not in PATHS, f"{old} is served: it cannot have moved."
                assert sorted(TEMPLATE.findall(old)) == sorted(TEMPLATE.findall(path))


def arguments_of(operation: Operation) -> set[str]:
    """What the contract hands to a handler."""
    named = {
        argument_name(each["name"])
        for each in operation.parameters
        if each["in"] != "header" or each["name"].lower() not in ENGINE_HEADERS
    }
    body = {"body"} if "requestBody" in operation.definition else set()
    return named | body | ({"user"} if operation.for_users else set())


def parameters_of(handler: Any) -> dict[str, bool]:
    """What a handler takes, and whether it must be given; `**filters` counts with its keys."""
    hints = get_type_hints(handler)
    taken: dict[str, bool] = {}
    for name, parameter in inspect.signature(handler).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            filters = get_args(hints[name])[0]
            taken |= {key: key in filters.__required_keys__ for key in get_type_hints(filters)}
        else:
            taken[name] = parameter.default is parameter.empty
    return taken


class TestHandlers:
    @pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
    def test_signature_is_that_of_the_contract(self, app: App, operation: Operation) -> None:
        handler = app.engine.plans[operation.name].handler
        assert handler.__name__ == operation.name
        assert handler.__module__ == operation.definition["x-openapi-router-controller"]
        taken = set(parameters_of(handler)) - {"token_info"}
        expected = arguments_of(operation)
        assert taken == expected, (
            f"{operation.name}: the contract gives {sorted(expected)}, the handler takes "
            f"{sorted(taken)}. Add what is missing to the one that lacks it."
        )

    @pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
    def test_what_may_be_left_out_has_a_default(self, app: App, operation: Operation) -> None:
        must = parameters_of(app.engine.plans[operation.name].handler)
        for each in operation.parameters:
            optional = not each.get("required") and "default" not in each["schema"]
            assert not (optional and must.get(argument_name(each["name"]))), (
                f"{operation.name} may be called without {each['name']}: give it a default."
            )


class TestSecurity:
    def test_public_operations_are_listed(self) -> None:
        public = sorted(operation.name for operation in OPERATIONS if operation.anonymous)
        assert public == lines_of("public_operations.txt"), (
            "Anybody may call what tests/contract/public_operations.txt lists. If this change is "
            "meant, edit the list by hand."
        )

    @pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
    def test_users_operations_name_a_permission(self, operation: Operation) -> None:
        asks = operation.for_users and operation.name not in AGREED.without_permission
        assert asks == ("x-permission" in operation.definition), (
            f"{operation.name}: x-permission is for operations that ask for a user, and for all."
        )

    @pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
    def test_unsafe_sessions_need_csrf(self, operation: Operation) -> None:
        for each in operation.security:
            assert operation.method == "get" or "session" not in each or "csrf" in each

    @pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
    def test_writes_are_audited(self, operation: Operation) -> None:
        reads = operation.method == "get" or operation.name in AGREED.without_audit
        assert reads or "x-audit" in operation.definition, (
            f"{operation.name} writes: name its action by x-audit."
        )


def linked_from(operation: Operation) -> set[str]:
    """The operations on what a creating operation makes: below it, or where it puts it itself."""
    if operation.path.endswith("}"):
        same = {each.name for each in OPERATIONS if each.path == operation.path}
        return same - {operation.name}
    below = re.compile(re.escape(operation.path) + r"/\{[^}]+\}")
    return {each.name for each in OPERATIONS if below.fullmatch(each.path)}


CREATING = [operation for operation in OPERATIONS if "201" in operation.success]


class TestLinks:
    @pytest.mark.parametrize("operation", CREATING, ids=name_of)
    def test_a_created_thing_links_to_what_can_be_done_with_it(self, operation: Operation) -> None:
        links = operation.success["201"].get("links", {})
        assert {each["operationId"] for each in links.values()} == linked_from(operation)
        for each in links.values():
            wanted = {
                it["name"] for it in BY_NAME[each["operationId"]].parameters if it["in"] == "path"
            }
            assert set(each["parameters"]) == wanted
            assert all(value.startswith("$re") for value in each["parameters"].values())


def camel(name: str) -> str:
    """`create_favorite` as `CreateFavorite`."""
    return "".join(word.capitalize() for word in name.split("_"))


@pytest.mark.parametrize("file", sorted({"/".join(each.controller) for each in OPERATIONS}))
def test_each_operation_has_its_test_class(file: str) -> None:
    domain, tag = file.split("/")
    defined = {
        node.name
        for path in (TESTS / domain).glob(f"test_{tag}*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef)
    }
    names = [each.name for each in OPERATIONS if each.controller == [domain, tag]]
    missing = [f"class Test{camel(name)}" for name in names if f"Test{camel(name)}" not in defined]
    assert missing == [], (
        f"tests/{domain}/test_{tag}.py (and test_{tag}_….py beside it) tests each operation in a "
        f"class of its name. Write: {', '.join(missing)}."
    )


def test_handlers_words_are_no_keywords() -> None:
    words = {word for operation in OPERATIONS for word in arguments_of(operation)}
    assert not [word for word in words if keyword.iskeyword(word) or not word.isidentifier()]
