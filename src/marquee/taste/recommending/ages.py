"""From which age on a title is fit, by what it is rated as.

Ages are Jellyfin's scores (since 10.11), as an account's `max_parental_rating` is: G is 0, PG 10,
PG-13 13, TV-14 14, R and TV-MA 17, NC-17 18. Other boards mostly name the age itself, as in
`FSK 16` or `12A`.
"""

import re

AGES = {
    **dict.fromkeys(("G", "APPROVED", "PASSED", "TV-G", "TV-Y", "U", "UC", "ATP", "TP", "AL"), 0),
    **dict.fromkeys(("TV-Y7", "TV-Y7-FV"), 7),
    **dict.fromkeys(("PG", "GP", "M/PG", "TV-PG"), 10),
    "PG-13": 13,
    "TV-14": 14,
    **dict.fromkeys(("R", "TV-MA"), 17),
    # `XXX` is no board's, but what some films call themselves: unknown, it would pass any limit.
    **dict.fromkeys(("NC-17", "X", "XXX", "AO", "TV-AO"), 18),
}
AGE = re.compile(r"(?<!\d)\d{1,2}(?!\d)")
OLDEST = 21


def age_of(age_rating: str | None) -> int | None:
    """The age of a rating such as `PG-13`; None for one that says nothing of it, as `NR`."""
    if age_rating is None:
        return None
    name = age_rating.strip().upper()
    if (known := AGES.get(name)) is not None:
        return known
    found = AGE.search(name)
    return int(found[0]) if found and int(found[0]) <= OLDEST else None
