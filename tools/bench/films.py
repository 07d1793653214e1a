"""The values of the operations without a database: JSON, the same for every server."""

from typing import Any

TOKEN = "benchmark-token"  # noqa: S105 - of a server that lives for a minute
GENRES = ["action", "comedy", "drama", "horror", "thriller", "romance", "animation", "crime"]
PAGE = 20
CREATED_AT = "2026-11-22T08:00:00.000000Z"
RATING: dict[str, Any] = {
    "movie_id": 7,
    "score": 8.5,
    "comment": "Seen twice, and better the second time.",
    "tags": ["classic", "rainy evening"],
    "context": {
        "device": "tv",
        "watched_at": "2026-11-20T20:15:00Z",
        "location": {"country": "NO", "city": "Bergen"},
    },
}


def film(number: int) -> dict[str, Any]:
    """A film of 17 fields, always the same for the same number."""
    return {
        "id": number,
        "title": f"The Long Evening of Number {number}",
        "original_title": None if number % 3 else f"Den lange kvelden {number}",
        "tagline": "It was never going to end well.",
        "year": 1950 + number,
        "released": f"{1950 + number}-04-{number % 28 + 1:02}",
        "runtime": 80 + number,
        "genres": [GENRES[number % 8], GENRES[(number + 3) % 8]],
        "rating": round(5 + number % 5 + 0.3, 1),
        "votes": 1000 * number,
        "language": "no",
        "country": "NO",
        "overview": "A lighthouse keeper counts ships, and one of them counts back. " * 3,
        "poster": f"/posters/{number}.jpg",
        "director": {"id": 100 + number, "name": f"Director of {number}"},
        "adult": False,
        "updated_at": CREATED_AT,
    }


def films() -> list[dict[str, Any]]:
    """The films of one page."""
    return [film(number) for number in range(1, PAGE + 1)]
