"""`make scaffold` writes operations that keep to the rules, and read and write real rows."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from marquee.catalogue.people.models import Person
from marquee.db import session
from marquee.errors import NotFound
from marquee.viewer import Viewer
from marquee.web import contract
from tools.contract.lint import lint_document
from tools.scaffold import Refused, read_order, scaffold

ROOT = Path(__file__).parents[2]
VIEWER = Viewer(1, "someone", frozenset())
LINKS = (
    "create_person: write `links` from its 201 to get, update, delete, or add it to "
    "`without_links`."
)
OPERATIONS = {
    "list_people": ("get", "/people"),
    "create_person": ("post", "/people"),
    "get_person": ("get", "/people/{person_id}"),
    "update_person": ("patch", "/people/{person_id}"),
    "delete_person": ("delete", "/people/{person_id}"),
}


def order(operation: str, method: str, url: str, **values: str) -> dict[str, str]:
    """The variables of `make scaffold`."""
    words = {"OPERATION": operation, "METHOD": method, "URL": url}
    return words | {"DOMAIN": "catalogue", "TAG": "people", "MODEL": "Person"} | values


def without_people(folder: Path) -> None:
    """Take away what the contract has of people, but what films and series need of it."""
    people = yaml.safe_load((folder / "people.yaml").read_bytes())["components"]["schemas"]
    (folder / "people.yaml").unlink()
    others = "".join(each.read_text() for each in folder.glob("*.yaml"))
    kept: dict[str, object] = {}
    while wanted := {name for name in people.keys() - kept.keys() if f"/{name}'" in others}:
        kept |= {name: people[name] for name in wanted}
        others += yaml.safe_dump(kept)
    (folder / "credits.yaml").write_text(yaml.safe_dump({"components": {"schemas": kept}}))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the contract, without what it has of people, to which all five were added."""
    root = Path(tmp_path_factory.mktemp("scaffold"))
    shutil.copytree(ROOT / "openapi", root / "openapi")
    without_people(root / "openapi/catalogue")
    whole = root / "openapi/openapi.yaml"
    lines = whole.read_text().splitlines()
    whole.write_text("\n".join(each for each in lines if "{name: people," not in each))
    for operation, (method, url) in OPERATIONS.items():
        scaffold(read_order(order(operation, method, url)), root)
    return root


@pytest.fixture
def handlers(root: Path) -> ModuleType:
    """The handlers that were written."""
    file = root / "src/marquee/catalogue/people/handlers.py"
    spec = importlib.util.spec_from_file_location("scaffolded_handlers", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_contract_wants_only_what_people_know(root: Path) -> None:
    without = ["list_people", "create_person", "get_person", "update_person", "delete_person"]
    described = [
        f"{name}: write a description that says more than the summary." for name in without
    ]
    assert sorted(lint_document(contract.load(root / "openapi"))) == sorted(
        [
            *described,
            "The tag people is not declared: add it to `tags` of openapi.yaml.",
            LINKS,
        ]
    )


def test_code_passes_the_house_checks(root: Path) -> None:
    files = [*root.glob("src/**/handlers.py"), *root.glob("tests/**/*.py")]
    assert len(files) == 2
    shutil.copy(ROOT / "pyproject.toml", root)
    elsewhere = ["--extend-ignore", "INP001,I001"]  # here are no packages, so none is our own
    command = [sys.executable, "-m", "ruff", "check", *elsewhere, *map(str, files)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    assert checked.returncode == 0, checked.stdout
    mypy = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", str(files[0])]
    typed = subprocess.run(mypy, capture_output=True, text=True, check=False, cwd=ROOT)
    assert typed.returncode == 0, typed.stdout


def test_handlers_read_and_write_rows(database: None, handlers: ModuleType) -> None:
    created, status = handlers.create_person(VIEWER, {"name": "Roy Scheider"})
    assert status == 201
    assert session.get_one(Person, created.id).name == "Roy Scheider"
    assert handlers.get_person(VIEWER, created.id) is created
    handlers.update_person(VIEWER, created.id, {"name": "Robert Shaw"})
    session.expire_all()
    assert session.get_one(Person, created.id).name == "Robert Shaw"
    page = handlers.list_people(VIEWER, limit=10)
    assert [row.name for row in page["items"]] == ["Robert Shaw"]
    handlers.delete_person(VIEWER, created.id)
    session.flush()
    with pytest.raises(NotFound):
        handlers.get_person(VIEWER, created.id)


def test_error_code_is_added_once(root: Path) -> None:
    assert (root / "openapi/common.yaml").read_text().count("- PERSON_NOT_FOUND\n") == 1


@pytest.mark.parametrize(
    "values,told",
    [
        ({}, "Say OPERATION, METHOD"),
        (order("list_people", "post", "/people"), "list_… by GET"),
        (order("approve_person", "post", "/people"), "there is a scaffold for"),
        (order("listPeople", "get", "/people"), "there is a scaffold for"),
        (order("list_people", "get", "/api/v1/people"), "the path below /api/v1"),
        (order("get_person", "get", "/people"), "ends with the row's id"),
        (order("list_ghosts", "get", "/ghosts", TAG="ghosts"), "Write the model first"),
        (order("list_people", "get", "/people", MODEL="Nobody"), "Name by MODEL"),
    ],
)
def test_refuses(values: dict[str, str], told: str) -> None:
    with pytest.raises(Refused, match=told):
        read_order(values)


def test_never_writes_twice(root: Path) -> None:
    with pytest.raises(Refused, match="already"):
        scaffold(read_order(order("get_person", "get", "/people/{person_id}")), root)
    with pytest.raises(Refused, match="already"):
        scaffold(read_order(order("list_persons", "get", "/people")), root)
