"""Every documented answer has been seen by the end of the whole suite, or is known not to be.

Runs last, and only where all tests run: see `conftest.py`.
"""

from pathlib import Path

from tests.contract.calls import OPERATIONS
from tests.contract.checking import exercised

LIST = Path(__file__).with_name("unexercised.txt")


def test_every_documented_answer_was_seen() -> None:
    documented = {
        (operation.name, int(status))
        for operation in OPERATIONS
        for status in operation.definition["responses"]
    }
    lines = [line for line in LIST.read_text().splitlines() if line and not line.startswith("#")]
    assert lines == sorted(lines), "Keep tests/contract/unexercised.txt sorted."
    listed = {(name, int(status)) for name, status in (line.split() for line in lines)}
    unseen = documented - exercised
    missing, needless = (sorted(pairs) for pairs in (unseen - listed, listed - unseen))
    assert not missing, f"Write tests that see these documented answers: {missing}"
    assert not needless, (
        f"Take off tests/contract/unexercised.txt what needs not be there: {needless}"
    )
