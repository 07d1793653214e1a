"""What the explorer's tests have that others have not: the way to a registry of packages."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def authorities() -> None:
    """All that this machine trusts: npm may have to install."""
