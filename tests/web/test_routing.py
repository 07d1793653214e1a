"""marquee/web/routing.py."""

import pytest

from marquee.errors import Invalid
from marquee.web.routing import Routes, decode_segment


@pytest.fixture
def routes() -> Routes[str]:
    routes: Routes[str] = Routes()
    for method, path in (
        ("GET", "/movies"),
        ("POST", "/movies"),
        ("GET", "/movies/{movie_id}"),
        ("GET", "/movies/popular"),
        ("POST", "/movies/ratings"),
        ("PUT", "/movies/ratings/{rating_id}"),
        ("GET", "/users/{user_id}/favorites/{favorite_id}"),
        ("GET", "/users/me"),
        ("GET", "/{anything}/me/too"),
    ):
        routes.add(path, method, f"{method} {path}")
    return routes


@pytest.mark.parametrize(
    "path,methods,values",
    [
        ("/movies", {"GET", "POST"}, {}),
        ("/movies/popular", {"GET"}, {}),
        ("/movies/ratings", {"POST"}, {}),
        ("/movies/42", {"GET"}, {"movie_id": "42"}),
        ("/movies/populars", {"GET"}, {"movie_id": "populars"}),
        ("/movies/ratings/7", {"PUT"}, {"rating_id": "7"}),
        ("/users/2/favorites/3", {"GET"}, {"user_id": "2", "favorite_id": "3"}),
        ("/users/me/favorites/3", {"GET"}, {"user_id": "me", "favorite_id": "3"}),
        ("/users/me/too", {"GET"}, {"anything": "users"}),
        ("/movies/a%2Fb", {"GET"}, {"movie_id": "a/b"}),
        ("/movies/%E5%8D%83", {"GET"}, {"movie_id": "千"}),
        ("/movies/%2e%2e", {"GET"}, {"movie_id": ".."}),
    ],
)
def test_finds(routes: Routes[str], path: str, methods: set[str], values: dict[str, str]) -> None:
    found = routes.find(path)
    assert found is not None
    assert (set(found[0]), found[1]) == (methods, values)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "movies",
        "/movies/",
        "//movies",
        "/movies//",
        "/users",
        "/users/2",
        "/users/2/favorites",
        "/users//favorites/3",
        "/Movies",
        "/%6Dovies",
        "/movies/1/2/3",
        "/users/2/favorites/3/",
    ],
)
def test_finds_nothing_else(routes: Routes[str], path: str) -> None:
    assert routes.find(path) is None


def test_a_static_path_wins_over_a_template_with_other_methods(routes: Routes[str]) -> None:
    """`GET /movies/ratings` is 405, and no film with the id `ratings`."""
    found = routes.find("/movies/ratings")
    assert found is not None
    assert set(found[0]) == {"POST"}


@pytest.mark.parametrize("segment", ["%FF", "%00", "a%00b", "%ED%A0%80", "%C0%AF", "\xff"])
def test_refuses_what_is_no_clean_text(routes: Routes[str], segment: str) -> None:
    with pytest.raises(Invalid):
        routes.find(f"/movies/{segment}")


@pytest.mark.parametrize(
    "text,decoded",
    [("a", "a"), ("a+b", "a+b"), ("%41", "A"), ("100%", "100%"), ("%zz", "%zz"), ("\xc3\xa9", "é")],
)
def test_decodes_as_paths_are(text: str, decoded: str) -> None:
    assert decode_segment(text) == decoded
