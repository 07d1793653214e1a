"""How one names oneself to a media server: Jellyfin (https://api.jellyfin.org) or Emby
(https://dev.emby.media/reference/RestAPI.html).

Both have one protocol from Media Browser, and differ in the header that names who calls.
"""

import re

from marquee import __version__

DIALECTS = {
    "jellyfin": ("Authorization", "MediaBrowser"),
    "emby": ("X-Emby-Authorization", "Emby"),
}
"""The header that names the calling device, and the word that it begins with."""
DEVICE = f'Client="Marquee", Device="Marquee", DeviceId="marquee", Version="{__version__}"'
"""One device for everybody: an administrator there can allow or forbid it, and a session of it that
could not be ended is ended by the next sign-in."""
ID = re.compile(r"[0-9A-Za-z-]{1,64}")
"""Of an account, of an item, of a place in a playlist."""


def naming(kind: str, token: str | None = None) -> dict[str, str]:
    """The header that says who calls, and by which session or API key."""
    header, scheme = DIALECTS[kind]
    holder = f', Token="{token}"' if token else ""
    return {header: f"{scheme} {DEVICE}{holder}"}
