"""A fake of a Jellyfin or Emby server, as far as signing in goes, what it has, and playlists; a
public client can use it.

Paths, headers, fields and statuses are those of Jellyfin 10.11 (https://api.jellyfin.org and its
`UserManager`, `SessionManager` and `ExceptionMiddleware`) and of Emby 4
(https://dev.emby.media/reference/RestAPI.html). How it can be broken is said in
`tests/fakes/server.py` and `tests/fakes/faults.py`.
"""

import json
import re
import uuid
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Any

from tests.fakes.exchange import Asked, Reply
from tests.fakes.jellyfin_shelf import Gone, Shelf
from tests.fakes.server import FakeServer

SERVER_ID = "b1f5e8a0c7d94c1f8f0e6a1d2c3b4a59"
VERSIONS = {"jellyfin": "10.11.6", "emby": "4.9.1.90"}
SCHEMES = {"jellyfin": ("authorization",), "emby": ("x-emby-authorization", "authorization")}
API_KEY = "7c1f0b6e2d9a4f3c8e5b1a0d6f4e2c93"
NAMED = ("Client", "Device", "DeviceId", "Version")
Json = dict[str, Any]


@dataclass(frozen=True)
class Person:
    """An account. An empty password is none."""

    name: str
    password: str
    is_admin: bool = False
    is_disabled: bool = False
    max_parental_rating: int | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


class FakeJellyfin(FakeServer):
    """A media server with accounts and a shelf. `tokens` are those that hold now, by device;
    `API_KEY` is a key of it.
    """

    def __init__(self, *people: Person, kind: str = "jellyfin", **options: Any) -> None:
        super().__init__(**options)
        self.kind = kind
        self.people = {person.id: person for person in people}
        self.tokens: dict[str, tuple[str, str]] = {}
        """Token: device and account."""
        self.shelf = Shelf(kind, self.people)

    def change(self, person: Person, **values: Any) -> None:
        """Let an account be another, under its id."""
        self.people[person.id] = replace(self.people[person.id], **values)

    def answer(self, asked: Asked) -> Reply:
        """Answer as the server does; paths in any case."""
        match asked.method, asked.path.lower().removeprefix("/emby"):
            case "POST", "/users/authenticatebyname":
                return self._authenticated(asked)
            case "POST", "/sessions/logout":
                return self._logged_out(asked)
            case "GET", "/system/info/public":
                return Reply(200, self._info())
            case "GET", "/system/info":
                known = _named(asked, self.kind).get("Token") in self.tokens
                return Reply(200, self._info()) if known else self.problem(401)
        return self._shelved(asked)

    def problem(self, status: int) -> Reply:
        """Say nothing of what went wrong, as the server does in production."""
        return Reply(status, b"Error processing request.", {"Content-Type": "text/plain"})

    def _shelved(self, asked: Asked) -> Reply:
        """Answer of the shelf, to who has the API key."""
        if _named(asked, self.kind).get("Token") != API_KEY:
            return self.problem(401)
        try:
            found = self.shelf.answer(asked)
        except Gone:
            found = None
        if found is None:
            return self.problem(404)
        return replace(found, headers={**found.headers, "Date": formatdate(usegmt=True)})

    def _authenticated(self, asked: Asked) -> Reply:
        device = _named(asked, self.kind)
        if any(not device.get(name) for name in NAMED):
            return self.problem(400)  # ArgumentException
        given = {name.lower(): value for name, value in json.loads(asked.body).items()}
        name, password = given.get("username") or "", given.get("pw") or ""
        if not name.strip():
            return self.problem(400)
        found = [each for each in self.people.values() if each.name.lower() == name.lower()]
        if found and found[0].is_disabled:
            return self.problem(403)  # SecurityException, whatever the password
        if not found or found[0].password != password:
            return self.problem(401)  # AuthenticationException
        return Reply(200, self._session(found[0], device["DeviceId"]))

    def _session(self, person: Person, device: str) -> Json:
        """Begin a session, which ends those of the same device."""
        self.tokens = {token: held for token, held in self.tokens.items() if held[0] != device}
        token = uuid.uuid4().hex
        self.tokens[token] = device, person.id
        return {
            "User": _user(person),
            "SessionInfo": {"UserId": person.id, "DeviceId": device, "IsActive": True},
            "AccessToken": token,
            "ServerId": SERVER_ID,
        }

    def _logged_out(self, asked: Asked) -> Reply:
        token = _named(asked, self.kind).get("Token", "")
        if self.tokens.pop(token, None) is None:
            return self.problem(401)
        return Reply(204, None)

    def _info(self) -> Json:
        return {
            "LocalAddress": self.url,
            "ServerName": "fake",
            "Version": VERSIONS[self.kind],
            "ProductName": f"{self.kind.title()} Server",
            "Id": SERVER_ID,
            "StartupWizardCompleted": True,
        }


def _named(asked: Asked, kind: str) -> dict[str, str]:
    """Who calls, by the header that this kind of server reads; nothing if it names nobody."""
    texts = [asked.headers[name] for name in SCHEMES[kind] if name in asked.headers]
    scheme, _, parameters = (texts[0] if texts else "").partition(" ")
    if scheme.lower() not in ("mediabrowser", "emby"):
        return {}
    return dict(re.findall(r'(\w+)="([^"]*)"', parameters))


def _user(person: Person) -> Json:
    return {
        "Name": person.name,
        "ServerId": SERVER_ID,
        "Id": person.id,
        "HasPassword": bool(person.password),
        "HasConfiguredPassword": bool(person.password),
        "EnableAutoLogin": False,
        "LastLoginDate": "2026-03-01T12:00:00.0000000Z",
        "Configuration": {"PlayDefaultAudioTrack": True, "SubtitleMode": "Default"},
        "Policy": {
            "IsAdministrator": person.is_admin,
            "IsHidden": True,
            "IsDisabled": person.is_disabled,
            "MaxParentalRating": person.max_parental_rating,
            "BlockedTags": [],
            "EnableAllDevices": True,
            "LoginAttemptsBeforeLockout": -1,
            "AuthenticationProviderId": "DefaultAuthenticationProvider",
        },
    }
