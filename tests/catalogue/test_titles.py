"""Tests of titles.py: what titles are found by and sorted by."""

# ruff: noqa: RUF001 - titles have such characters

import pytest

from marquee.catalogue.titles import MAX_WORDS, search_title, sort_title


class TestSearchTitle:
    @pytest.mark.parametrize(
        "title,words",
        [
            ("Amélie", "amelie"),
            ("AMÉLIE", "amelie"),
            ("Ame\u0301lie", "amelie"),
            ("  The   Matrix ", "the matrix"),
            ("Mission: Impossible – Ghost Protocol", "mission impossible ghost protocol"),
            ("L’Été meurtrier", "l ete meurtrier"),
            ("M*A*S*H", "m a s h"),
            ("Straße", "strasse"),
            ("Cœur de Søren Æbelø", "coeur de soren aebelo"),
            ("İstanbul", "istanbul"),
            ("Ёлки", "елки"),
            ("8½", "8 1 2"),
            ("Alien³", "alien3"),
            ("fine_day", "fine day"),
        ],
    )
    def test_has_no_accents_case_or_punctuation(self, title: str, words: str) -> None:
        assert search_title(title) == words

    @pytest.mark.parametrize(
        "title,words",
        [
            ("七人の侍", "七人の侍"),
            ("ガメラ", "ガメラ"),
            ("ハハ パパ", "ハハ パパ"),
            ("한국", "한국"),
            ("हिन्दी", "हिन्दी"),
            ("Ελληνικά", "ελληνικα"),
            ("סֵפֶר", "ספר"),
            ("كِتَاب", "كتاب"),
        ],
    )
    def test_keeps_other_scripts(self, title: str, words: str) -> None:
        assert search_title(title) == words

    @pytest.mark.parametrize("title", ["$", "!!!", "…", "🙂"])
    def test_keeps_symbols_where_there_is_nothing_else(self, title: str) -> None:
        assert search_title(title)

    def test_is_the_same_for_its_own_words(self) -> None:
        for title in ("Amélie", "8½", "Straße", "한국", "The $", "ไทยน้ำ"):
            assert search_title(search_title(title)) == search_title(title)

    def test_fits_an_index_whatever_the_title(self) -> None:
        assert len(search_title("\ufdfa" * 500)) <= MAX_WORDS


class TestSortTitle:
    @pytest.mark.parametrize(
        "title,words",
        [
            ("The Matrix", "matrix"),
            ("A Bug's Life", "bug s life"),
            ("An Education", "education"),
            ("the lobster", "lobster"),
            ("“The” End", "the end"),
            ("...And Justice", "and justice"),
            ("...The Thing", "thing"),
            ("Le Samouraï", "samourai"),
            ("La Haine", "haine"),
            ("Les Misérables", "miserables"),
            ("L'Avventura", "avventura"),
            ("L’Été meurtrier", "ete meurtrier"),
            ("Un prophète", "prophete"),
            ("Das Boot", "boot"),
            ("Der Untergang", "untergang"),
            ("Die Welle", "welle"),
            ("El Mariachi", "mariachi"),
            ("Los olvidados", "olvidados"),
            ("Las Acacias", "acacias"),
        ],
    )
    def test_leaves_out_the_article(self, title: str, words: str) -> None:
        assert sort_title(title) == words

    @pytest.mark.parametrize(
        "title",
        [
            *("A", "The", "The The", "Les", "L'", "The !", "Die"),
            *("Theodora", "Another Round", "Lassie", "Elle", "Anna"),
            *("A.I. Artificial Intelligence", "L.A. Confidential", "A-ha", "À bout de souffle"),
            *("Die Hard", "Die Another Day", "Die, Monster, Die!"),
            *("La La Land", "Los Angeles Plays Itself", "Las Vegas Nights"),
        ],
    )
    def test_leaves_other_titles_whole(self, title: str) -> None:
        assert sort_title(title) == search_title(title)

    def test_is_the_words_or_all_but_the_first(self) -> None:
        for title in ("The Matrix", "L’Été", "  'The Thing", "The 8½", "A " + "x " * 600):
            words = search_title(title)
            assert sort_title(title) in (words, words.partition(" ")[2])
