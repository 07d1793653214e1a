"""What taste profiles say: src/marquee/taste/taste_profiles."""

from typing import Any

import pytest

from marquee.taste.taste_profiles import facts, narrating
from marquee.taste.taste_profiles.facts import Known
from marquee.taste.taste_profiles.kinds import MOVIE, TVSHOW, Kind
from marquee.taste.taste_profiles.naming import Names, sentences

TITLES = [
    *("Star Wars: Episode IV \u2013 A New Hope", "The Matrix", "Alien 3", "It", "Up", "The Thing"),
    *("Schindler's List", "Amélie", "Drama", "千と千尋の神隠し", "1917", "Out of Time", "You"),
]


def title(**values: Any) -> Known:
    usual = Known("Jaws", None, 1975, ["Horror"], [], [], 100, 6.0, None, False, 1, 0)  # noqa: FBT003
    return usual._replace(**values)


def said(titles: list[Known], kind: Kind = MOVIE) -> str:
    return narrating.plainly(facts.of(titles, kind), kind)


class TestNames:
    @pytest.mark.parametrize(
        "sentence",
        [
            "Star Wars is your home.",
            "You return to star wars again.",
            "You love the Matrix and its kin.",
            "Few love Alien as you do.",
            "You were frightened by It.",
            "The house that flies in Up moved you.",
            "The Thing in the ice moved you.",
            "SCHINDLER\u2019S LIST left its mark.",
            "You adore Amelie.",
            "Your favourite is 千と千尋の神隠し.",
            "You are never Out of Time.",
            "You adore “Casablanca” above all.",
            "You adore *Casablanca* above all.",
            "You adore 'Casablanca' above all.",
            "You adore \u2018Casablanca\u2019 above all.",
            '"Casablanca" is what you adore.',
        ],
    )
    def test_are_found(self, sentence: str) -> None:
        assert Names(TITLES, ["Drama"]).are_in(sentence)

    @pytest.mark.parametrize(
        "sentence",
        [
            "It is a warm taste, and you never give up.",
            "You like what is alien to others.",
            "The thing about you is patience, and you have run out of time.",
            "Up to now, stars and wars leave you cold.",
            "You and Drama belong together.",
            "You leave your “comfort zone” gladly, and that's a film lover's way.",
            "You like the 1970s.",
        ],
    )
    def test_are_not_found(self, sentence: str) -> None:
        assert not Names(TITLES, ["Drama"]).are_in(sentence)

    def test_many_are_looked_for_quickly(self) -> None:
        names = Names(f"The House {number} Built" for number in range(10_000))
        assert names.are_in("You love the house 77 built.")
        assert not names.are_in("You love the house that somebody built.")


class TestSentences:
    @pytest.mark.parametrize("size", [1, 3, 1000])
    def test_come_one_by_one(self, size: int) -> None:
        text = (
            "You love Dr. No\u2019s world.  Do you?\n\nYes!  It is … 3.5 stars, i.e. much. Then it"
        )
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        assert list(sentences(pieces)) == [
            "You love Dr. No\u2019s world.",
            "Do you?",
            "Yes!",
            "It is …",
            "3.5 stars, i.e. much.",
        ]

    def test_the_first_comes_before_the_last_is_there(self) -> None:
        pieces = iter(["You love it. ", "You ", "hate it."])
        assert next(sentences(pieces)) == "You love it."
        assert list(pieces) == ["hate it."]

    def test_of_nothing(self) -> None:
        assert list(sentences([])) == list(sentences(["", " "])) == []


class TestNarrator:
    def test_tells_what_leads_and_how_strongly(self) -> None:
        horror = [title() for _ in range(9)]
        both = [*horror, *(title(genres=["Comedy"]) for _ in range(12))]
        assert "horror" in said(horror)
        assert said(horror) != said(both)
        assert "comedy" in said(both)

    def test_tells_strict_from_generous(self) -> None:
        strict = said([title(score=4.5) for _ in range(5)])
        generous = said([title(score=8.0) for _ in range(5)])
        assert "2.2 of 5 stars" in strict or "2.3 of 5 stars" in strict
        assert "4 of 5 stars" in generous
        assert {"less", "below"} & set(strict.replace(",", "").split())

    def test_tells_of_themes_and_decades_and_length(self) -> None:
        words = said([title(keywords=["shark", "sea"], minutes=140, is_kept=True)] * 6)
        assert "sea and shark" in words
        assert "1970s" in words
        assert "140 minutes" in words

    def test_a_theme_that_is_a_title_is_none(self) -> None:
        words = said([title(title="Shark", keywords=["shark", "sea"]) for _ in range(6)])
        assert "shark" not in words

    def test_tells_whether_series_are_seen_to_the_end(self) -> None:
        whole = [title(plays=10, total_episodes=10, minutes=25) for _ in range(5)]
        begun = [title(plays=1, total_episodes=10, minutes=25) for _ in range(5)]
        assert "through to the end" in said(whole, TVSHOW)
        assert "half an hour" in said(whole, TVSHOW)
        assert "sample" in said(begun, TVSHOW)

    @pytest.mark.parametrize("kind", [MOVIE, TVSHOW])
    @pytest.mark.parametrize(
        "titles",
        [
            [],
            [title()],
            [title(genres=[], year=None, minutes=None)],
            [title(score=2.0)],
            [title(), title(genres=["Western"])],
            [title(genres=[], year=None, minutes=None, vote_average=None)] * 9,
            [title(score=0.0), *[title(countries=["France"], score=10.0)] * 9],
        ],
    )
    def test_is_well_formed_whatever_there_is(self, titles: list[Known], kind: Kind) -> None:
        words = said(titles, kind)
        assert words == said(titles, kind)
        assert words[0].isupper()
        assert words.endswith(".")
        assert "None" not in words
        assert "  " not in words
        assert "".join(f"{each} " for each in sentences([words])).strip() == words

    def test_what_is_disliked_is_not_loved(self) -> None:
        words = said([*[title()] * 5, *[title(genres=["Comedy"], score=2.0)] * 9])
        assert "comedy" not in words
