"""Handler and tests of a scaffolded operation, as text that is put into files of people's."""

import ast
from typing import TYPE_CHECKING

from tools.scaffold_contract import columns

if TYPE_CHECKING:
    from tools.scaffold import Order

HANDLERS = {
    "list": """
def {operation}(user: Viewer, {parameters}limit: int, cursor: str | None = None) -> dict[str, Any]:
    query = {model}.visible_to(user).with_only_columns(*{model}.__table__.columns)
    key = ({model}.__table__.c.id,)
    page = by_cursor(
        query, {{}}, key=key, name="{tag}", descending=True, limit=limit, cursor=cursor
    )
    return {{"items": page.items, "next_cursor": page.next_cursor}}
""",
    "get": """
def {operation}(user: Viewer, {parameters}) -> {model}:
    return find({model}.visible_to(user), {row_id})
""",
    "create": """
def {operation}(user: Viewer, {parameters}body: dict[str, Any]) -> tuple[{model}, int]:
    created = {model}(**body)
    session.add(created)
    session.flush()
    return created, 201
""",
    "update": """
def {operation}(user: Viewer, {parameters}body: dict[str, Any]) -> {model}:
    changed = find({model}.visible_to(user), {row_id})
    for name, value in body.items():
        setattr(changed, name, value)
    session.flush()
    return changed
""",
    "delete": """
def {operation}(user: Viewer, {parameters}) -> None:
    session.delete(find({model}.visible_to(user), {row_id}))
""",
}
TESTS = {
    "list": """
class {test_class}:
    def test_lists_them(self, admin: httpx.Client, make: Make) -> None:
        made = make({model}, {values})
        answer = admin.get(f"{url}")
        assert answer.status_code == 200
        assert made.id in [each["id"] for each in answer.json()["items"]]
""",
    "get": """
class {test_class}:
    def test_gets_it(self, admin: httpx.Client, make: Make) -> None:
        made = make({model}, {values})
        answer = admin.get(f"{url}")
        assert (answer.status_code, answer.json()["id"]) == (200, made.id)
""",
    "create": """
class {test_class}:
    def test_stores_it(self, admin: httpx.Client) -> None:
        answer = admin.post(f"{url}", json={body})
        assert answer.status_code == 201
        stored = session.get_one({model}, answer.json()["id"])
        assert answer.json()["id"] == stored.id
""",
    "update": """
class {test_class}:
    def test_changes_it(self, admin: httpx.Client, make: Make) -> None:
        made = make({model}, {values})
        answer = admin.{method}(f"{url}", json={body})
        assert (answer.status_code, answer.json()["id"]) == (200, made.id)
""",
    "delete": """
class {test_class}:
    def test_removes_it(self, admin: httpx.Client, make: Make) -> None:
        made = make({model}, {values})
        assert admin.delete(f"{url}").status_code == 204
        session.expire_all()
        assert session.get({model}, made.id) is None
""",
}


def add_handler(text: str, order: "Order") -> str:
    """handlers.py with the operation's handler; it reads and writes rows of the model."""
    names = [f"{name}: int" for name in order.parameters]
    body = HANDLERS[order.verb].format(
        operation=order.operation,
        model=order.model.__name__,
        tag=order.tag,
        parameters="".join(f"{name}, " for name in names),
        row_id=order.parameters[-1] if order.parameters else "",
    )
    body = body.replace(", )", ")")
    head = f'"""Handlers of openapi/{order.domain}/{order.tag}.yaml."""\n'
    imports = [(order.model.__module__, order.model.__name__), ("marquee.viewer", "Viewer")]
    imports += [("marquee.db", each) for each in ("find", "session") if f"{each}" in body]
    if "Any" in body:
        imports.append(("typing", "Any"))
    if "by_cursor" in body:
        imports.append(("marquee.web.paging", "by_cursor"))
    return _with_imports(text or head, imports).rstrip("\n") + "\n\n" + body


def add_test(text: str, order: "Order") -> str:
    """The tag's test file with a class for the operation."""
    settable = columns(order, settable=True)
    examples = {key: example for key, (_, example) in settable.items()}
    needed = {key: example for key, (form, example) in settable.items() if "nullable" not in form}
    row = order.verb in ("get", "update", "delete")
    url = order.url.replace(f"{{{order.parameters[-1]}}}", "{made.id}") if row else order.url
    body = TESTS[order.verb].format(
        test_class="Test" + "".join(word.capitalize() for word in order.operation.split("_")),
        model=order.model.__name__,
        url=url,
        method=order.method,
        body=repr(examples).replace("'", '"'),
        values=", ".join(f"{key}={value!r}" for key, value in needed.items()).replace("'", '"'),
    )
    body = body.replace(f'f"{order.url}"', f'"{order.url}"') if "{" not in url else body
    imports = [("httpx", ""), ("collections.abc", "Callable"), ("typing", "Any")]
    imports.append((order.model.__module__, order.model.__name__))
    if "session." in body:
        imports.append(("marquee.db", "session"))
    text = _with_imports(
        text or f'"""Operations of openapi/{order.domain}/{order.tag}.yaml."""\n', imports
    )
    if "\nMake = " not in text:
        text = text.rstrip("\n") + "\n\nMake = Callable[..., Any]\n"
    return text.rstrip("\n") + "\n\n" + body


def _with_imports(text: str, wanted: list[tuple[str, str]]) -> str:
    """A module with these imports, (module, name) or (module, ""); the formatter sorts them."""
    tree = ast.parse(text)
    known = {
        (node.module, alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    known |= {
        (alias.name, "")
        for node in tree.body
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    missing = [each for each in dict.fromkeys(wanted) if each not in known]
    statements = [
        f"from {module} import {name}" if name else f"import {module}" for module, name in missing
    ]
    at = max(
        [
            node.end_lineno or 0
            for node in tree.body
            if isinstance(node, (ast.Import, ast.ImportFrom))
        ]
        or [1]
    )
    lines = text.splitlines()
    gap = [""] if at == 1 and statements else []
    return "\n".join([*lines[:at], *gap, *statements, *lines[at:]]) + "\n"
