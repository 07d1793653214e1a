"""The contract keeps to its rules, and makes no exception that it does not need."""

from dataclasses import fields, replace

import pytest

from marquee.web import contract
from tools.contract.exceptions import AGREED
from tools.contract.lint import lint_document
from tools.contract.table import table


def test_contract_keeps_to_its_rules() -> None:
    assert lint_document(contract.load()) == []


def test_table_is_up_to_date() -> None:
    written = (contract.root() / "operations.txt").read_text()
    assert written == table(contract.load()), "run `make contract`, and look at what changed"


@pytest.mark.parametrize("field", [each.name for each in fields(AGREED)])
def test_exceptions_are_exact(field: str) -> None:
    """One more than is needed is a finding, and one less."""
    agreed: frozenset[str] = getattr(AGREED, field)
    more = replace(AGREED, **{field: agreed | {"not_there"}})
    assert lint_document(contract.load(), more) == [
        f"{field} lists not_there, which needs no exception: remove it there."
    ]
    if agreed:
        fewer = replace(AGREED, **{field: frozenset()})
        assert len(lint_document(contract.load(), fewer)) == len(agreed)
