"""The engine of recommendations: its arithmetic on a small made-up world, and its training."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from marquee.catalogue.embeddings.models import Embedding
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import Episode, Season, TVShow
from marquee.db import session
from marquee.identity.users.models import User
from marquee.operations.jobs.named import JOBS
from marquee.progress import Progress
from marquee.services import storage
from marquee.taste.favorites.models import Favorite
from marquee.taste.ratings.models import Rating
from marquee.taste.recommending import keeping, reading, signals
from marquee.taste.recommending.collaborative import Recipe
from marquee.taste.recommending.engine import DIGITS, PENALTY, Engine, Scored, Tastes, Wish
from marquee.taste.recommending.titles import Titles, genre_novelty, rating_worth
from marquee.taste.recommending.weighing import levelled, weights_of
from marquee.watching.progress.models import Watch

Make = Callable[..., Any]
USERS, FILMS, KINDS = 120, 80, 4
NEW = FILMS - 1
"""A film that nobody has watched; its content is of the last kind."""
RECIPE = Recipe(als_factors=8, svd_factors=4, ease_l2=20.0, als_l2=1.0, threads=1)
NOTHING_ELSE = replace(Wish().weights, rating=0.0, novelty=0.0, diversity=0.0)


def kind_of(film: int) -> int:
    return film % KINDS


@pytest.fixture(scope="module")
def watched() -> sp.csr_matrix:
    """Users who mostly watch films of one kind, and those of low numbers more."""
    draw = np.random.default_rng(5)
    taste = np.arange(USERS)[:, None] % KINDS == np.arange(FILMS)[None, :] % KINDS
    chance = np.where(taste, 0.6, 0.08) * np.linspace(1, 0.5, FILMS)
    found = draw.random((USERS, FILMS)) < chance
    found[:, NEW] = False
    return sp.csr_matrix(found.astype(np.float32))


@pytest.fixture(scope="module")
def titles() -> Titles:
    draw = np.random.default_rng(6)
    kinds = np.eye(KINDS, dtype=np.float32)[np.arange(FILMS) % KINDS]
    noise = draw.normal(0, 0.2, (FILMS, 12)).astype(np.float32)
    noise[:, :KINDS] += kinds
    return Titles(
        np.arange(FILMS, dtype=np.int64) * 10 + 7,
        noise,
        sp.csr_matrix(kinds),
        draw.uniform(3, 9, FILMS).astype(np.float32),
        np.linspace(90, 10, FILMS).astype(np.float32),
    )


@pytest.fixture(scope="module")
def trained(titles: Titles, watched: sp.csr_matrix) -> Engine:
    return Engine.fit(titles, watched, RECIPE, seed=3)


def row(weights: dict[int, float]) -> sp.csr_matrix:
    at = np.array(list(weights), np.int64)
    values = np.array(list(weights.values()), np.float32)
    return sp.csr_matrix((values, (np.zeros_like(at), at)), shape=(1, FILMS))


def taste(
    likes: dict[int, float] | None = None,
    dislikes: tuple[int, ...] = (),
    vetoes: tuple[int, ...] = (),
) -> Tastes:
    own = row(likes or {})
    return Tastes(
        own, row(dict.fromkeys(dislikes, 1.0)), own.astype(bool) + row(dict.fromkeys(vetoes, 1.0))
    )


LIKES = {2: 1.0, 6: 1.5, 10: 0.5, 14: 1.0, 3: 1.0}


def place(found: list[Scored], film: int) -> int:
    return [each.key for each in found].index(film * 10 + 7)


class TestEngine:
    def test_parts_add_up_to_the_score(self, trained: Engine) -> None:
        wish = Wish(excludes_dislikes=False)
        (found,) = trained.recommend(taste(LIKES, dislikes=(1, 5)), wish)
        assert len(found) == FILMS - len(LIKES)
        for each in found:
            assert round(sum(each.parts.values()), DIGITS) == each.score
            assert 0 <= each.score <= 1
            assert all(value >= 0 for name, value in each.parts.items() if name != "penalty")
        scores = [each.score for each in found]
        assert scores == sorted(scores, reverse=True)

    def test_evidence_adds_up_to_what_sets_candidates_apart(self, trained: Engine) -> None:
        (found,) = trained.recommend(
            taste(LIKES), Wish(count=20, evidence=len(LIKES), weights=NOTHING_ELSE)
        )
        told = [each for each in found[:20] if len(each.evidence) == len(LIKES)]
        assert len(told) > 1
        apart = {
            round(
                each.parts["collaborative"]
                + each.parts["content"]
                - sum(one.amount for one in each.evidence),
                3,
            )
            for each in told
        }
        assert max(apart) - min(apart) <= 0.001
        assert {one.key for one in told[0].evidence} == {film * 10 + 7 for film in LIKES}

    def test_taste_comes_first(self, trained: Engine) -> None:
        (found,) = trained.recommend(taste(LIKES), Wish(weights=NOTHING_ELSE))
        best = [(each.key - 7) // 10 for each in found[:8]]
        assert sum(kind_of(film) == 2 for film in best) >= 6

    def test_the_same_seed_gives_the_same(
        self, trained: Engine, titles: Titles, watched: sp.csr_matrix
    ) -> None:
        again = Engine.fit(titles, watched, RECIPE, seed=3)
        wish = Wish(seed=9)
        assert again.recommend(taste(LIKES), wish) == trained.recommend(taste(LIKES), wish)

    def test_users_together_get_what_they_get_alone(
        self, trained: Engine, watched: sp.csr_matrix
    ) -> None:
        none = sp.csr_matrix(watched.shape, dtype=np.float32)
        everybody = Tastes(watched, none, watched)
        together = trained.scores(everybody)
        alone = [trained.scores(everybody[user : user + 1])[0] for user in (0, 7)]
        np.testing.assert_allclose(together[[0, 7]], alone, atol=1e-5)

    def test_vetoes_come_before_ranking(self, trained: Engine) -> None:
        (free,) = trained.recommend(taste(LIKES))
        best = (free[0].key - 7) // 10
        (found,) = trained.recommend(taste(LIKES, vetoes=(best,)))
        assert free[0].key not in {each.key for each in found}
        assert not {film * 10 + 7 for film in LIKES} & {each.key for each in found}

    @pytest.mark.parametrize("series", [True, False])
    def test_among_some_is_as_if_all_others_were_vetoed(
        self, titles: Titles, watched: sp.csr_matrix, *, series: bool
    ) -> None:
        keys = np.r_[-30:0, 1 : FILMS - 29].astype(np.int64)
        trained = Engine.fit(replace(titles, keys=keys), watched, RECIPE, seed=3)
        among = (keys < 0) == series
        among[::7] = False
        others = tuple(np.flatnonzero(~among).tolist())
        mine = taste(LIKES, dislikes=(35, 36))
        for excludes in (True, False):
            wish = Wish(excludes_dislikes=excludes, among=among)
            (some,) = trained.recommend(mine, wish)
            alike = taste(LIKES, dislikes=(35, 36), vetoes=others)
            (all_,) = trained.recommend(alike, replace(wish, among=None))
            assert [each.key for each in some] == [each.key for each in all_]
            for one, other in zip(some, all_, strict=True):
                assert one.parts == pytest.approx(other.parts, abs=1e-4)
                assert [each.key for each in one.evidence] == [each.key for each in other.evidence]
            scores = trained.scores(mine, wish)[0]
            assert (scores[~among] == -1).all()

    def test_nothing_is_left_when_all_is_vetoed(self, trained: Engine) -> None:
        assert trained.recommend(taste(LIKES, vetoes=tuple(range(FILMS)))) == [[]]

    def test_dislikes_are_excluded_or_lowered(self, trained: Engine) -> None:
        (free,) = trained.recommend(taste(LIKES), Wish(weights=NOTHING_ELSE))
        film = (free[0].key - 7) // 10
        disliking = taste(LIKES, dislikes=(film,))
        (excluded,) = trained.recommend(disliking, Wish(weights=NOTHING_ELSE))
        assert free[0].key not in {each.key for each in excluded}
        (lowered,) = trained.recommend(
            disliking, Wish(weights=NOTHING_ELSE, excludes_dislikes=False)
        )
        at = place(lowered, film)
        assert lowered[at].score < free[0].score
        before = sum(value for name, value in lowered[at].parts.items() if name != "penalty")
        assert lowered[at].parts["penalty"] == pytest.approx(-PENALTY * before, abs=1e-5)

    def test_what_resembles_a_dislike_loses(self, trained: Engine) -> None:
        weights = replace(NOTHING_ELSE, dislikes=0.5)
        (free,) = trained.recommend(taste(LIKES), Wish(weights=weights))
        (found,) = trained.recommend(taste(LIKES, dislikes=(1,)), Wish(weights=weights))
        before = np.mean([place(free, film) for film in range(5, FILMS, KINDS)])
        after = np.mean([place(found, film) for film in range(5, FILMS, KINDS)])
        assert after > before

    def test_a_better_rating_pulls_more(self, trained: Engine) -> None:
        scores = np.array([9.0, 5.0], np.float32)
        blank = np.array([np.nan, np.nan], np.float32)
        high, low = weights_of(
            scores=scores,
            favorites=np.zeros(2, bool),
            plays=np.ones(2, np.float32),
            shares=blank,
            days=np.zeros(2, np.float32),
        ).tolist()
        wish = Wish(weights=NOTHING_ELSE)
        (first,) = trained.scores(taste({2: high, 3: low}), wish)
        (second,) = trained.scores(taste({2: low, 3: high}), wish)
        of_two = np.arange(6, FILMS - 1, KINDS)
        of_three = np.arange(7, FILMS - 1, KINDS)
        assert first[of_two].mean() - first[of_three].mean() > (
            second[of_two].mean() - second[of_three].mean()
        )

    def test_others_ratings_raise_a_score(self, titles: Titles, watched: sp.csr_matrix) -> None:
        found = []
        for rating in (5.0, 9.0):
            ratings = titles.ratings.copy()
            ratings[20] = rating
            other = Engine.fit(replace(titles, ratings=ratings), watched, RECIPE, seed=3)
            (listed,) = other.recommend(taste(LIKES), Wish(weights=replace(NOTHING_ELSE, rating=1)))
            found.append(listed[place(listed, 20)].parts["rating"])
        assert found[1] > found[0]

    def test_diversity_is_bought_with_likeness(self, trained: Engine) -> None:
        def likeness(weight: float) -> float:
            wish = Wish(weights=replace(NOTHING_ELSE, diversity=weight), count=8)
            (found,) = trained.recommend(taste(LIKES), wish)
            looks = trained.looks[[(each.key - 7) // 10 for each in found[:8]]]
            return float(np.maximum(looks @ looks.T, 0).mean())

        assert likeness(0.6) < likeness(0.0)

    def test_a_stranger_gets_what_is_popular(self, trained: Engine) -> None:
        (found,) = trained.recommend(taste(), Wish(weights=NOTHING_ELSE))
        popular = np.argsort(-trained.popularity, kind="stable")
        assert [each.key for each in found[:20]] == trained.titles.keys[popular[:20]].tolist()
        assert found[0].evidence == ()

    def test_a_new_film_comes_by_its_content(self, trained: Engine) -> None:
        assert kind_of(NEW) == 3
        wish = Wish(weights=replace(NOTHING_ELSE, popularity=0.0))
        (fits,) = trained.recommend(taste({3: 1, 7: 1, 11: 1, 15: 1}), wish)
        (fits_not,) = trained.recommend(taste({1: 1, 5: 1, 9: 1, 13: 1}), wish)
        assert place(fits, NEW) < 25 < place(fits_not, NEW)

    def test_it_is_stored_as_it_is(self, trained: Engine) -> None:
        again = keeping.unpacked(keeping.packed(trained))
        assert again.recommend(taste(LIKES)) == trained.recommend(taste(LIKES))

    def test_it_can_be_trained_on_nothing(self, titles: Titles) -> None:
        empty = sp.csr_matrix((0, FILMS), dtype=np.float32)
        trained = Engine.fit(titles, empty, RECIPE)
        (found,) = trained.recommend(taste(), Wish(weights=NOTHING_ELSE))
        assert found[0].key == titles.keys[0]
        (told,) = trained.recommend(taste({3: 1.0}), Wish(weights=NOTHING_ELSE))
        assert told


class TestTitles:
    def test_worth_rises_with_the_rating(self) -> None:
        worth = rating_worth(np.array([0, 3, 5, 6, 7, 8, 9, 10, 12, np.nan], np.float32))
        assert (np.diff(worth[:8]) > 0).all()
        assert worth[8:].tolist() == pytest.approx([1.0, 0.4])

    def test_novelty_is_highest_where_some_genres_are_new(self) -> None:
        genres = sp.csr_matrix(np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0]], np.float32))
        (novelty,) = genre_novelty(genres, sp.csr_matrix([[1.0, 0, 0, 0]]))
        assert novelty.tolist() == pytest.approx([0.4, 0.7, 0.5, 0.5])

    def test_unknown_keys_have_no_position(self, titles: Titles) -> None:
        assert titles.positions(np.array([7, 8, 17, 10_000])).tolist() == [0, -1, 1, -1]


class TestWeights:
    def test_they_follow_what_was_done(self) -> None:
        nan = np.nan
        weights = weights_of(
            scores=np.array([nan, 3, 4, 9, nan, nan, nan, nan], np.float32),
            favorites=np.array([0, 0, 0, 0, 1, 0, 0, 0], bool),
            plays=np.array([1, 1, 1, 1, 1, 10, 1, 1], np.float32),
            shares=np.array([nan, nan, nan, nan, nan, nan, 1, nan], np.float32),
            days=np.array([0, 0, 0, 0, 0, 0, 0, 180], np.float32),
        )
        assert weights.tolist() == pytest.approx([1, 0, 0.8, 1.175, 1.5, 1.5, 1.5, 0.5])

    def test_they_are_levelled_for_each_user(self) -> None:
        weights = np.array([0.25, 0.25, 0, 2, 4], np.float32)
        level = levelled(weights, np.array([0, 0, 0, 1, 1]), 2)
        assert level.tolist() == pytest.approx([1, 1, 0, 2 / 3, 4 / 3])


@pytest.fixture
def nothing_kept() -> Iterator[None]:
    """No engine of another test holds."""
    keeping.forget()
    yield
    storage.current().delete(keeping.CURRENT)
    keeping.forget()


class TestTraining:
    def test_signals_are_read(self, make: Make, me: User, other: User) -> None:
        films = [make(Movie, title=f"Film {number}") for number in range(6)]
        show = make(TVShow, title="A series")
        season = make(Season, tvshow_id=show.id, season_number=1)
        numbers = {"season_number": 1, "episode_number": 1}
        episode = make(Episode, tvshow_id=show.id, season_id=season.id, **numbers)
        make(Rating, user_id=me.id, movie_id=films[0].id, score=9)
        make(Rating, user_id=me.id, movie_id=films[1].id, score=2)
        make(Rating, user_id=other.id, movie_id=films[1].id, score=8)
        make(Favorite, user_id=me.id, movie_id=films[2].id)
        long_ago = datetime.now(UTC) - timedelta(days=180)
        watch = {"user_id": me.id, "last_watched_at": long_ago}
        make(Watch, movie_id=films[3].id, watch_count=1, is_completed=True, **watch)
        make(Watch, movie_id=films[4].id, progress_seconds=10, duration_seconds=6000, **watch)
        make(Watch, movie_id=films[5].id, remark="not_interested", **watch)
        make(Watch, tvshow_id=show.id, episode_id=episode.id, is_completed=True, **watch)
        session.flush()
        found = signals.of_users([me.id])
        told = dict(zip(found.keys.tolist(), found.weights.tolist(), strict=True))
        ids = [film.id for film in films]
        assert set(told) == {-show.id, ids[0], ids[1], ids[2], ids[3], ids[5]}
        assert told[ids[1]] == told[ids[5]] == 0
        assert told[ids[0]] == pytest.approx(1.175, abs=0.01)
        assert told[ids[2]] == pytest.approx(1.5, abs=0.01)
        assert told[ids[3]] == pytest.approx(0.5, abs=0.01)
        titles = reading.titles(found.keys)
        tastes = signals.tastes(signals.of_users([other.id, me.id]), [other.id, me.id], titles)
        assert np.diff(tastes.likes.indptr).tolist() == [1, 4]
        assert np.diff(tastes.dislikes.indptr).tolist() == [0, 2]
        assert signals.tastes(signals.of_users([]), [], titles).count == 0

    def test_titles_are_read(self, make: Make, database: None) -> None:
        film = make(
            Movie, title="A film", genres=["Drama", "Noir"], vote_average=7.5, popularity=250
        )
        film.age_rating = "PG-13"
        show = make(TVShow, title="A series", genres=["Drama"])
        vector = np.linspace(-1, 1, 8).astype(np.float32)
        session.add(Embedding(movie_id=film.id, model="m@8", content_hash=b"x", vector=vector))
        session.flush()
        titles = reading.titles(np.array([film.id, -show.id]))
        at, of_show = titles.positions(np.array([film.id, -show.id])).tolist()
        assert titles.ratings[at] == 7.5
        assert titles.popularity[at] == 100
        assert [bool(titles.fit_for(age)[at]) for age in (12, 13, None)] == [False, True, True]
        assert titles.fit_for(0)[of_show]
        assert np.isnan(titles.ratings[of_show])
        assert np.diff(titles.genres.indptr)[[at, of_show]].tolist() == [2, 1]
        np.testing.assert_allclose(titles.content[at], vector, atol=0.001)
        assert not titles.content[of_show].any()

    def test_the_job_trains_and_keeps(
        self, make: Make, make_user: Make, database: None, nothing_kept: None
    ) -> None:
        assert keeping.current() is None
        keeping.forget()
        films = [make(Movie, title=f"Film {number}", genres=["Drama"]) for number in range(12)]
        users = [make_user() for _ in range(6)]
        for number, user in enumerate(users):
            for film in films[number % 2 : 8 : 2]:
                make(Rating, user_id=user.id, movie_id=film.id, score=8)
        session.commit()
        session.remove()
        job = JOBS["train-recommender"].function
        counted = job(Progress())
        assert counted["users"] == 6
        assert counted["signals"] == 24
        assert counted["titles"] >= 12
        held = keeping.current()
        assert held is not None
        engine, version = held
        tastes = signals.tastes(signals.of_users([users[0].id]), [users[0].id], engine.titles)
        session.remove()
        (found,) = engine.recommend(tastes)
        assert films[0].id not in {each.key for each in found}
        assert found[0].parts
        assert job(Progress())["unchanged"] == 1
        make(Rating, user_id=users[0].id, movie_id=films[9].id, score=8)
        session.commit()
        session.remove()
        assert job(Progress())["signals"] == 25
        keeping.forget()
        newer = keeping.current()
        assert newer is not None
        assert newer[1] > version
