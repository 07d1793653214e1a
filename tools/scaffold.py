"""A new operation's contract, handler and tests, in their places.

`make scaffold OPERATION=list_genres METHOD=get URL=/genres DOMAIN=catalogue TAG=genres`

It starts from the model, so that what it writes reads and writes real rows: without a model in
src/marquee/<domain>/<tag>/models.py that has `visible_to`, it writes nothing. It knows the five
plain verbs; an operation with a word of its own has rules of its own, and is written by hand.

What only a person knows is left out, and the contract's lint says so: the description, and the
tag's line in openapi.yaml.
"""

import importlib
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marquee.db import Model, missing
from marquee.web import contract
from marquee.web.routing import TEMPLATE
from tools import scaffold_code, scaffold_contract
from tools.contract.lint import lint_document
from tools.contract.operations import VERBS
from tools.contract.walk import SNAKE

ROOT = Path(__file__).parents[1]


class Refused(Exception):
    """Nothing was written. The message says why, and what to do."""


@dataclass(frozen=True)
class Order:
    """The operation that is to be written."""

    operation: str
    method: str
    url: str
    domain: str
    tag: str
    model: type[Model]

    @property
    def verb(self) -> str:
        """The operationId's first word, one of the five."""
        return self.operation.partition("_")[0]

    @property
    def parameters(self) -> list[str]:
        """The names in the URL, in order. The last of `…/{id}` is the row's own."""
        return TEMPLATE.findall(self.url)


def read_order(values: Mapping[str, str]) -> Order:
    """The order that the variables give. Raises Refused where it makes no sense."""
    wanted = ("OPERATION", "METHOD", "URL", "DOMAIN", "TAG")
    if missing := [name for name in wanted if not values.get(name)]:
        raise Refused(
            f"Say {', '.join(missing)}: make scaffold " + " ".join(f"{n}=…" for n in wanted)
        )
    operation, method, url, domain, tag = (values[name] for name in wanted)
    method = method.lower()
    verb = operation.partition("_")[0]
    if not SNAKE.fullmatch(operation) or method not in VERBS.get(verb, ()):
        allowed = ", ".join(f"{each}_… by {' or '.join(m).upper()}" for each, m in VERBS.items())
        raise Refused(f"{method.upper()} {operation}: there is a scaffold for {allowed}.")
    if not url.startswith("/") or url.startswith("/api/"):
        raise Refused(f"URL is the path below /api/v1, such as /genres/{{genre_id}}: not {url}.")
    if verb in ("get", "update", "delete") and not url.endswith("}"):
        raise Refused(f"{operation} is about one row: its URL ends with the row's id.")
    return Order(operation, method, url, domain, tag, _model(domain, tag, values.get("MODEL")))


def scaffold(order: Order, root: Path = ROOT) -> list[Path]:
    """Write the operation; the files that were written. Raises Refused if it is there already."""
    document = contract.load(root / "openapi")
    if any(each["operationId"] == order.operation for _, _, each in contract.operations(document)):
        raise Refused(f"There is an operation {order.operation} already.")
    if order.method in document["paths"].get(order.url, {}):
        raise Refused(f"There is a {order.method.upper()} {order.url} already.")
    written = {
        root / "openapi" / order.domain / f"{order.tag}.yaml": scaffold_contract.add,
        root / "src/marquee" / order.domain / order.tag / "handlers.py": scaffold_code.add_handler,
        root / "tests" / order.domain / f"test_{order.tag}.py": scaffold_code.add_test,
    }
    for file, add in written.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(add(file.read_text() if file.is_file() else "", order))
    for file in list(written)[1:]:
        _format(file)
    code = missing(order.model, 0).code
    common = root / "openapi/common.yaml"
    if f"- {code}\n" not in common.read_text():
        common.write_text(scaffold_contract.add_error_code(common.read_text(), code))
    contract.load.cache_clear()
    return [*written, common]


def _format(file: Path) -> None:
    """Sort the imports and break the lines as the house does."""
    ruff = [sys.executable, "-m", "ruff"]
    config = ["--quiet", "--config", str(ROOT / "pyproject.toml"), str(file)]
    subprocess.run([*ruff, "check", "--select", "I", "--fix", *config], check=True)
    subprocess.run([*ruff, "format", *config], check=True)


def _model(domain: str, tag: str, name: str | None) -> type[Model]:
    module_name = f"marquee.{domain}.{tag}.models"
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        file = f"src/{module_name.replace('.', '/')}.py"
        raise Refused(
            f"Write the model first, with `visible_to`: {file} does not exist."
        ) from error
    models: dict[str, Any] = {
        each.__name__: each
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, Model)
        and each.__module__ == module_name
        and hasattr(each, "visible_to")
    }
    if name is None and len(models) == 1:
        return next(iter(models.values()))  # type: ignore[no-any-return] # a subclass, as asked above
    if name not in models:
        known = ", ".join(models) or "none"
        raise Refused(
            f"Name by MODEL the model with `visible_to` of {module_name} (it has: {known})."
        )
    return models[name]  # type: ignore[no-any-return] # a subclass, as asked above


def main() -> int:
    """Write an operation, and say what is left to a person; the exit status."""
    try:
        order = read_order(os.environ)
        for file in scaffold(order):
            print(f"written: {file.relative_to(ROOT)}")
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print("Left to you: limits and examples of the schemas, rules (service.py), who has the")
    print("permission, the tests' cases; then `make contract`. The contract's lint says:")
    print("\n".join(f"  {finding}" for finding in lint_document(contract.load())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
