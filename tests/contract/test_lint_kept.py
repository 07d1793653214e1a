"""The contract keeps to its rules, and makes no exception that it does not need."""

from dataclasses import fields, replace

import pytest

from marquee.web import contract
from tools.contract.exceptions import AGREED
from tools.contract.lint import lint_document
from tools.contract.table import table

LISTS: dict[str, frozenset[str]] = {
    each.name: getattr(AGREED, each.name) for each in fields(AGREED)
}


def test_contract_keeps_to_its_rules() -> None:
    assert lint_document(contract.load()) == []


def test_table_is_up_to_date() -> None:
    written = (contract.root() / "operations.txt").read_text()
    assert written == table(contract.load()), "run `make contract`, and look at what changed"


def test_no_exception_is_needless() -> None:
    """One more than is needed is a finding, in each list."""
    more = replace(AGREED, **{name: agreed | {"not_there"} for name, agreed in LISTS.items()})
    assert sorted(lint_document(contract.load(), more)) == [
        f"{name} lists not_there, which needs no exception: remove it there."
        for name in sorted(LISTS)
    ]


@pytest.mark.parametrize("name", [name for name, agreed in LISTS.items() if agreed])
def test_every_exception_is_needed(name: str) -> None:
    """Without a list, there is a finding for each of what it lists."""
    fewer = replace(AGREED, **{name: frozenset()})
    assert len(lint_document(contract.load(), fewer)) == len(LISTS[name])
