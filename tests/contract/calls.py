"""Each operation as something that can be called: with the examples of the contract, and with the
credential that its security asks for.
"""

from dataclasses import dataclass
from typing import Any

import httpx

from marquee.web import contract
from tests.contract.checking import resolved

LONGEST_REFUSAL = 8000
USER_SCHEMES = frozenset(("bearer", "api_key", "session"))
SECRETS = {"metrics_token": "the metrics token", "cron_secret": "the cron secret"}
"""The schemes that stand for no user, with the secrets that the tests' environment sets."""


@dataclass(frozen=True)
class Operation:
    """One operation, its references resolved."""

    path: str
    method: str
    definition: dict[str, Any]

    @property
    def name(self) -> str:
        """The operationId."""
        name: str = self.definition["operationId"]
        return name

    @property
    def controller(self) -> list[str]:
        """Domain and tag: `["taste", "ratings"]`."""
        module: str = self.definition["x-openapi-router-controller"]
        return module.split(".")[1:3]

    @property
    def security(self) -> list[dict[str, Any]]:
        """The alternatives, by name of their schemes."""
        security: list[dict[str, Any]] = self.definition.get("security", resolved()["security"])
        return security

    @property
    def schemes(self) -> set[str]:
        """The names of all its schemes."""
        return {name for each in self.security for name in each}

    @property
    def anonymous(self) -> bool:
        """Whether it can be called without a credential."""
        return contract.is_anonymous(self.definition, resolved()["security"])

    @property
    def for_users(self) -> bool:
        """Whether a user's credential is what it asks for."""
        return bool(self.schemes & USER_SCHEMES)

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """Those of the path item and its own."""
        item = resolved()["paths"][self.path]
        return [*item.get("parameters", []), *self.definition.get("parameters", [])]

    @property
    def body(self) -> Any:
        """The example of its JSON body; None without one."""
        content = self.definition.get("requestBody", {}).get("content", {})
        return content.get("application/json", {}).get("example")

    @property
    def success(self) -> dict[str, Any]:
        """Its answers below 300, by status."""
        return {each: it for each, it in self.definition["responses"].items() if each < "300"}

    def url(self, **values: object) -> str:
        """Its path below the server's, with examples where no value is given."""
        examples = {each["name"]: each.get("example") for each in self.parameters}
        return self.path.format(**{**examples, **values})

    def secret(self) -> dict[str, str]:
        """The header of the system's own secret, where its security asks for one."""
        found = [SECRETS[name] for name in self.schemes if name in SECRETS]
        return {"Authorization": f"Bearer {found[0]}"} if found else {}

    def call(
        self, client: httpx.Client, headers: dict[str, str] | None = None, **values: object
    ) -> httpx.Response:
        """Call it with its examples; `values` are those of the path."""
        sent = {**self.secret(), **(headers or {})}
        return client.request(self.method.upper(), self.url(**values), headers=sent, json=self.body)


OPERATIONS = [Operation(*each) for each in contract.operations(resolved())]
BY_NAME = {each.name: each for each in OPERATIONS}
SECURED = [each for each in OPERATIONS if not each.anonymous]
FOR_USERS = [each for each in OPERATIONS if each.for_users]
WITH_BODY = [each for each in OPERATIONS if each.body is not None]


def name_of(operation: Operation) -> str:
    """For pytest's ids."""
    return operation.name


def refused(answer: httpx.Response, status: int, code: str) -> None:
    """Assert a refusal in the envelope, which does not repeat what was sent."""
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert len(answer.content) < LONGEST_REFUSAL
