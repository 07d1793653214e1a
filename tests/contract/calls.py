"""Each operation as something that can be called: with the examples of the contract, and with the
credential that its security asks for.
"""

import io
from dataclasses import dataclass
from typing import Any

import httpx
from PIL import Image

from marquee.web import contract
from tests.contract.checking import resolved

LONGEST_REFUSAL = 8000
FORM = "multipart/form-data"
USER_SCHEMES = frozenset(("bearer", "access_token", "api_key", "session"))
SECRETS = {"metrics_token": "the metrics token", "cron_secret": "the cron secret"}
"""The schemes that stand for no user, with the secrets that the tests' environment sets."""


def picture(kind: str) -> bytes:
    """A small picture: `picture("JPEG")`."""
    written = io.BytesIO()
    Image.new("RGB", (8, 6), "orange").save(written, kind)
    return written.getvalue()


SMALL_FILES = {"image/jpeg": picture("JPEG")}
"""A file of each type that a form of the contract names first."""


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
    def takes_keys(self) -> bool:
        """Whether an API key is good for it."""
        return "api_key" in self.schemes

    @property
    def permission(self) -> str | None:
        """What the caller's roles must allow."""
        permission: str | None = self.definition.get("x-permission")
        return permission

    @property
    def is_stored(self) -> bool:
        """Whether the server keeps an answer for everybody."""
        cache = self.definition.get("x-cache", {})
        return cache.get("scope") == "public" and bool(cache.get("stored", True))

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
    def media_type(self) -> str:
        """The header that goes with its body; empty without one."""
        [media_type] = self.definition.get("requestBody", {"content": {"": None}})["content"]
        return f"{FORM}; boundary=x" if media_type == FORM else str(media_type)

    @property
    def files(self) -> dict[str, tuple[str, bytes, str]] | None:
        """A file for each that its form asks for, of the first type that it takes; None without
        a form.
        """
        form = self.definition.get("requestBody", {}).get("content", {}).get(FORM)
        if form is None:
            return None
        names = [name for name in form["schema"]["required"] if name in form["encoding"]]
        types = [form["encoding"][name]["contentType"].partition(",")[0] for name in names]
        return {
            name: ("picture", SMALL_FILES[each], each)
            for name, each in zip(names, types, strict=True)
        }

    @property
    def success(self) -> dict[str, Any]:
        """Its answers below 300, by status."""
        return {each: it for each, it in self.definition["responses"].items() if each < "300"}

    def url(self, **values: object) -> str:
        """Its path below the server's, with examples where no value is given."""
        examples = {each["name"]: each.get("example") for each in self.parameters}
        return self.path.format(**{**examples, **values})

    @property
    def query(self) -> dict[str, Any] | None:
        """Examples of the query's parameters that must be there; None where none must."""
        needed = [each for each in self.parameters if each["in"] == "query"]
        return {each["name"]: each["example"] for each in needed if each.get("required")} or None

    def secret(self) -> dict[str, str]:
        """The header of the system's own secret, where its security asks for one."""
        found = [SECRETS[name] for name in self.schemes if name in SECRETS]
        return {"Authorization": f"Bearer {found[0]}"} if found else {}

    def call(
        self,
        client: httpx.Client,
        headers: dict[str, str] | None = None,
        *,
        secret: bool = True,
        **values: object,
    ) -> httpx.Response:
        """Call it with its examples; `values` are those of the path. `secret` says whether the
        system's own is sent where its security asks for one.
        """
        sent = {**(self.secret() if secret else {}), **(headers or {})}
        url = self.url(**values)
        return client.request(
            self.method.upper(),
            url,
            params=self.query,
            headers=sent,
            json=self.body,
            files=self.files,
        )


OPERATIONS = [Operation(*each) for each in contract.operations(resolved())]
BY_NAME = {each.name: each for each in OPERATIONS}
SECURED = [each for each in OPERATIONS if not each.anonymous]
FOR_USERS = [each for each in OPERATIONS if each.for_users]
FOR_KEYS = [each for each in FOR_USERS if each.takes_keys]
ACCOUNT_ONLY = [each for each in FOR_USERS if not each.takes_keys]
UNSAFE = [each for each in OPERATIONS if each.method != "get"]
PERMITTED = [each for each in FOR_USERS if each.permission]
WITH_BODY = [each for each in OPERATIONS if each.media_type]
WITH_JSON = [each for each in WITH_BODY if each.media_type == "application/json"]


def name_of(operation: Operation) -> str:
    """For pytest's ids."""
    return operation.name


def refused(answer: httpx.Response, status: int, code: str) -> None:
    """Assert a refusal in the envelope, which does not repeat what was sent."""
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert len(answer.content) < LONGEST_REFUSAL
