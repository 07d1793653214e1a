"""What TMDB appends to films and series: people, keywords, videos, pictures, providers.

The people of some titles are the real ones; their popularity is invented, as are the pictures.
"""

from typing import Any, NamedTuple

from tests.fakes.tmdb_films import COUNTRIES, ENGLISH, LANGUAGES

Json = dict[str, Any]


class Somebody(NamedTuple):
    """A person."""

    id: int
    name: str
    department: str
    popularity: float
    imdb_id: str = ""
    birthday: str | None = None
    place: str | None = None


PEOPLE = {
    each.id: each
    for each in (
        Somebody(287, "Brad Pitt", "Acting", 61.4, "nm0000093", "1963-12-18", "Shawnee, USA"),
        Somebody(819, "Edward Norton", "Acting", 28.9, "nm0001570", "1969-08-18", "Boston, USA"),
        Somebody(1283, "Helena Bonham Carter", "Acting", 24.5, "nm0000307", "1966-05-26"),
        Somebody(7467, "David Fincher", "Directing", 14.8, "nm0000399", "1962-08-28"),
        Somebody(7468, "Chuck Palahniuk", "Writing", 3.3),
        Somebody(7469, "Jim Uhls", "Writing", 2.1),
        Somebody(7474, "Ross Grayson Bell", "Production", 1.2),
        Somebody(7763, "Jeff Cronenweth", "Camera", 1.9),
        Somebody(7764, "James Haygood", "Editing", 1.1),
        Somebody(4385, "John King", "Sound", 0.9),
        Somebody(6384, "Keanu Reeves", "Acting", 70.2, "nm0000206", "1964-09-02", "Beirut"),
        Somebody(530, "Carrie-Anne Moss", "Acting", 22.0),
        Somebody(9340, "Lana Wachowski", "Directing", 6.3),
        Somebody(9339, "Lilly Wachowski", "Directing", 5.9),
        Somebody(66633, "Vince Gilligan", "Writing", 5.7, "nm0319213", "1967-02-10"),
        Somebody(17419, "Bryan Cranston", "Acting", 31.9, "nm0186505", "1956-03-07"),
        Somebody(84497, "Aaron Paul", "Acting", 27.0, "nm0666739", "1979-08-27"),
        Somebody(61535, "Steven Michael Quezada", "Acting", 3.2),
    )
}  # fmt: skip

CAST: dict[tuple[str, int], list[tuple[int, str]]] = {
    ("movie", 550): [(819, "The Narrator"), (287, "Tyler Durden"), (1283, "Marla Singer")],
    ("movie", 807): [(287, "Detective David Mills")],
    ("movie", 603): [(6384, "Thomas A. Anderson / Neo"), (530, "Trinity")],
    ("movie", 604): [(6384, "Neo"), (530, "Trinity")],
    ("tv", 1396): [(17419, "Walter White"), (84497, "Jesse Pinkman")],
}
CREW: dict[tuple[str, int], list[tuple[int, str, str]]] = {
    ("movie", 550): [
        (7467, "Director", "Directing"),
        (7469, "Screenplay", "Writing"),
        (7468, "Novel", "Writing"),
        (7763, "Director of Photography", "Camera"),
        (7764, "Editor", "Editing"),
        (4385, "Original Music Composer", "Sound"),
        (7474, "Producer", "Production"),
    ],
    ("movie", 807): [(7467, "Director", "Directing")],
    ("movie", 603): [
        (9340, "Director", "Directing"),
        (9339, "Director", "Directing"),
        (9340, "Writer", "Writing"),
        (9339, "Writer", "Writing"),
    ],
    ("tv", 1396): [(66633, "Executive Producer", "Production")],
}
CREATORS = {1396: [66633]}
KEYWORDS: dict[tuple[str, int], dict[int, str]] = {
    ("movie", 550): {818: "based on novel or book", 825: "support group", 851: "dual identity"},
    ("movie", 603): {310: "artificial intelligence (a.i.)", 83: "saving the world"},
    ("tv", 1396): {9664: "cancer", 41525: "high school teacher"},
}
VIDEOS = {("movie", 603): "vKQi3bBA1y8", ("tv", 1396): "XZ8daibM3AE"}
LINKS = {550: {"facebook_id": "FightClub", "instagram_id": "fightclub", "twitter_id": None}}
NO_LINKS = dict.fromkeys(("facebook_id", "instagram_id", "twitter_id"))


def person(number: int) -> Json:
    """What credits have of a person."""
    somebody = PEOPLE[number]
    return {
        "adult": False,
        "gender": 0,
        "id": number,
        "known_for_department": somebody.department,
        "name": somebody.name,
        "original_name": somebody.name,
        "popularity": somebody.popularity,
        "profile_path": f"/profile{number}.jpg",
    }


def whole_person(number: int) -> Json:
    """A person as `/person/{id}` shows them."""
    somebody, listed = PEOPLE[number], person(number)
    return {
        **{name: listed[name] for name in listed if name != "original_name"},
        "also_known_as": [],
        "biography": f"{somebody.name} works in films.",
        "birthday": somebody.birthday,
        "deathday": None,
        "homepage": None,
        "imdb_id": somebody.imdb_id or None,
        "place_of_birth": somebody.place,
    }


def titles_of(number: int) -> tuple[list[tuple[str, int, Json]], list[tuple[str, int, Json]]]:
    """The cast and crew credits of a person: kind, id and what the person was there."""
    cast = [
        (*key, {"character": name, "credit_id": f"cast{key[1]}", "order": order})
        for key, players in CAST.items()
        for order, (each, name) in enumerate(players)
        if each == number
    ]
    crew = [
        (*key, {"job": job, "department": department, "credit_id": f"crew{key[1]}"})
        for key, workers in CREW.items()
        for each, job, department in workers
        if each == number
    ]
    return cast, crew


def credits(kind: str, number: int) -> Json:  # noqa: A001 - TMDB's word
    """Who played, and who worked on it."""
    cast = [
        {
            **person(each),
            "cast_id": order,
            "character": name,
            "credit_id": f"c{order}",
            "order": order,
        }
        for order, (each, name) in enumerate(CAST.get((kind, number), []))
    ]
    crew = [
        {**person(each), "credit_id": f"w{index}", "department": department, "job": job}
        for index, (each, job, department) in enumerate(CREW.get((kind, number), []))
    ]
    return {"cast": cast, "crew": crew}


def creators(number: int) -> list[Json]:
    """Who created a series."""
    wanted = ("id", "gender", "name", "original_name", "profile_path")
    return [
        {"credit_id": "52542286760ee31328001a79", **{name: person(each)[name] for name in wanted}}
        for each in CREATORS.get(number, [])
    ]


def keywords(kind: str, number: int) -> Json:
    """What it is about; films and series say it under different names."""
    found = [{"id": each, "name": name} for each, name in KEYWORDS.get((kind, number), {}).items()]
    return {"keywords" if kind == "movie" else "results": found}


def videos(kind: str, number: int) -> Json:
    """A teaser, a trailer of somebody's, and the official one."""
    key = VIDEOS.get((kind, number))
    if key is None:
        return {"results": []}

    def video(name: str, key: str, kind: str, *, official: bool, site: str = "YouTube") -> Json:
        return {
            "iso_639_1": "en",
            "iso_3166_1": "US",
            "name": name,
            "key": key,
            "site": site,
            "size": 1080,
            "type": kind,
            "official": official,
            "published_at": "2014-10-02T19:20:22.000Z",
            "id": f"5c9294240e0a267cd516835{len(name)}",
        }

    return {
        "results": [
            video("A fan's", "fanfanfan00", "Trailer", official=False),
            video("Elsewhere", "123456789", "Trailer", official=True, site="Vimeo"),
            video("Teaser", "teaserteaser", "Teaser", official=True),
            video("Official Trailer", key, "Trailer", official=True),
        ]
    }


def images(kind: str, number: int) -> Json:
    """Pictures of titles that have been filmed."""

    def image(name: str, width: int, height: int, language: str | None) -> Json:
        return {
            "aspect_ratio": round(width / height, 3),
            "height": height,
            "iso_639_1": language,
            "file_path": f"/{name}{number}.jpg",
            "vote_average": 5.3,
            "vote_count": 12,
            "width": width,
        }

    return {
        "backdrops": [image(f"{kind}backdrop", 3840, 2160, None)],
        "logos": [image(f"{kind}logo", 1200, 400, "en")],
        "posters": [
            image(f"{kind}poster", 2000, 3000, "en"),
            image(f"{kind}art", 2000, 3000, None),
        ],
    }


NO_IMAGES: Json = {"backdrops": [], "logos": [], "posters": []}


def watch_providers(kind: str, number: int) -> Json:
    """Where the titles with people are to be seen."""
    if (kind, number) not in CAST:
        return {"results": {}}

    def provider(each: int, name: str, priority: int) -> Json:
        logo = f"/provider{each}.jpg"
        return {
            "logo_path": logo,
            "provider_id": each,
            "provider_name": name,
            "display_priority": priority,
        }

    def link(country: str) -> str:
        return f"https://www.themoviedb.org/{kind}/{number}/watch?locale={country}"

    return {
        "results": {
            "DE": {"link": link("DE"), "flatrate": [provider(8, "Netflix", 0)]},
            "US": {
                "link": link("US"),
                "flatrate": [provider(15, "Hulu", 5)],
                "rent": [provider(2, "Apple TV", 4), provider(10, "Amazon Video", 14)],
                "buy": [provider(2, "Apple TV", 4)],
            },
        }
    }


def translations(kind: str, title: str, overview: str, titles: dict[str, str]) -> Json:
    """The words in English and in the languages that it has a title in."""
    named = "title" if kind == "movie" else "name"

    def translation(language: str, country: str, name: str, text: str) -> Json:
        data = {"homepage": "", "overview": text, "tagline": "", named: name}
        if kind == "movie":
            data["runtime"] = 0
        return {
            "iso_3166_1": country,
            "iso_639_1": language,
            "name": LANGUAGES[language],
            "english_name": ENGLISH[language],
            "data": data,
        }

    others = [
        translation(language, COUNTRIES[language], name, "") for language, name in titles.items()
    ]
    # TMDB leaves the title out where it is the original one.
    return {
        "translations": [
            translation("en", "US", "" if kind == "movie" else title, overview),
            *others,
        ]
    }
