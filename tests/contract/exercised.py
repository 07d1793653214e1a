"""Every documented answer has been seen by the end of the whole suite, or is known not to be.

A plugin of pytest: what is seen is known when all has run, in all processes of the run. Each one
hands over what it saw as it ends (pytest-xdist's `workeroutput`), and the first of them judges. It
does so only where the whole suite has run, and what it says counts as a test.
"""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.contract.calls import OPERATIONS
from tests.contract.checking import exercised

LIST = Path(__file__).with_name("unexercised.txt")
NAME = "tests/contract/exercised.py::every_documented_answer_was_seen"
SEEN = "exercised"
ENDED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
PARTIAL = ("keyword", "markexpr", "deselect", "ignore_glob", "collectonly", "lf", "stepwise")
"""Options that leave out tests."""

lost: list[str] = []
"""What is known of processes that died without a word on what they saw."""


def findings() -> str:
    """What is wrong; nothing, if nothing is."""
    if lost:
        return f"What these processes of the tests saw is lost: {', '.join(lost)}."
    documented = {
        (operation.name, int(status))
        for operation in OPERATIONS
        for status in operation.definition["responses"]
    }
    lines = [line for line in LIST.read_text().splitlines() if line and not line.startswith("#")]
    if lines != sorted(lines):
        return "Keep tests/contract/unexercised.txt sorted."
    listed = {(name, int(status)) for name, status in (line.split() for line in lines)}
    unseen = documented - exercised
    missing, needless = (sorted(pairs) for pairs in (unseen - listed, listed - unseen))
    if missing:
        return f"Write tests that see these documented answers: {missing}"
    if needless:
        return f"Take off tests/contract/unexercised.txt what needs not be there: {needless}"
    return ""


def is_whole(session: pytest.Session) -> bool:
    """Whether the run was to run everything, and came to its end."""
    config = session.config
    return (
        config.args == config.getini("testpaths")
        and not any(config.getoption(name, None) for name in PARTIAL)
        and not (session.shouldstop or session.shouldfail)
        and session.exitstatus in ENDED
    )


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take over what a process saw, which has ended."""
    output = getattr(node, "workeroutput", {})
    if SEEN in output:
        exercised.update((name, status) for name, status in output[SEEN])
    else:
        lost.append(f"{node.gateway.id} ({error})")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand over what this process saw; the first of all judges it."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[SEEN] = sorted(exercised)
        return
    if not is_whole(session):
        return
    started = time.time()
    wrong = findings()
    report = pytest.TestReport(
        nodeid=NAME,
        location=(NAME.partition("::")[0], None, NAME.rpartition("::")[2]),
        keywords={},
        outcome="failed" if wrong else "passed",
        longrepr=wrong or None,
        when="call",
        duration=time.time() - started,
        start=started,
        stop=time.time(),
    )
    session.config.hook.pytest_runtest_logreport(report=report)
    if wrong:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
