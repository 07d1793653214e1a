"""The contract's security scheme of a browser that has begun to sign in elsewhere."""

from typing import Any

BROWSER = "oidc_browser"


def browser(cookie: str) -> dict[str, Any]:
    """The cookie as it is: only the state that it goes with knows whether it fits."""
    return {BROWSER: cookie}
