"""The job `recommend`: for whom, how often, and what it bears."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, delete, func, select, update

from marquee import clock, db
from marquee.catalogue.movies.models import Movie
from marquee.identity.users.models import User
from marquee.operations.jobs.named import JOBS
from marquee.progress import Cancelled, Progress
from marquee.taste.ratings.models import Rating
from marquee.taste.recommendations import generating
from marquee.taste.recommendations.models import RecommendationRun
from marquee.taste.recommending.ages import age_of
from tests.queries import statements
from tests.taste.recommended import all_runs, listed, names, rate, work

Make = Callable[..., Any]


class Interrupted(Progress):
    """A worker that dies when so much is done."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def advance(self, items: int = 1, current: str | None = None) -> None:
        super().advance(items, current)
        self.left -= items
        if self.left <= 0:
            self.cancel()


class TestJob:
    def test_every_night_for_those_who_did_something(
        self, make: Make, viewers: list[User], catalogue: Any
    ) -> None:
        counted = work()
        everybody = db.session.scalar(select(func.count()).select_from(User).where(User.is_active))
        assert counted == {"users": everybody, "runs": 2 * everybody}
        assert work() == {"users": 0, "runs": 0}
        rate(make, viewers[3], catalogue["films"][15])
        taken_back = select(Rating).where(Rating.user_id == viewers[4].id).limit(1)
        db.session.delete(db.session.scalars(taken_back).one())
        db.session.get_one(User, viewers[5].id).max_parental_rating = 13
        db.session.get_one(User, viewers[6].id).is_active = False
        db.session.commit()
        rate(make, viewers[6], catalogue["films"][15])
        assert work() == {"users": 3, "runs": 6}
        assert [len(all_runs(user)) for user in viewers[2:7]] == [2, 4, 4, 4, 2]
        assert all_runs(viewers[3])[-1].run_type == "scheduled"

    def test_again_after_a_month(self, viewers: list[User]) -> None:
        work()
        old = clock.now() - timedelta(days=31)
        of = update(RecommendationRun).where(
            RecommendationRun.user_id == viewers[0].id, RecommendationRun.kind == "movie"
        )
        db.session.execute(of.values(created_at=old))
        db.session.commit()
        assert work() == {"users": 1, "runs": 1}

    def test_another_goes_on_where_one_was_broken_off(
        self, viewers: list[User], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(generating, "AT_ONCE", 3)
        db.session.remove()
        JOBS["train-recommender"].function(Progress())
        with pytest.raises(Cancelled):
            JOBS["recommend"].function(Interrupted(after=3))
        made = db.session.scalar(select(func.count()).select_from(RecommendationRun))
        assert made == 6
        everybody = db.session.scalar(select(func.count()).select_from(User).where(User.is_active))
        assert work() == {"users": everybody - 3, "runs": 2 * (everybody - 3)}

    def test_together_as_alone(
        self, client: httpx.Client, make: Make, me: User, viewers: list[User], catalogue: Any
    ) -> None:
        rate(make, me, *catalogue["films"][0:6:2])
        work()
        together = listed(client, me)["recommendations"]
        work(me)
        alone = listed(client, me)["recommendations"]
        assert names({"recommendations": alone}) == names({"recommendations": together})
        for one, other in zip(alone, together, strict=True):
            assert one["final_score"] == pytest.approx(other["final_score"], abs=1e-5)

    def test_strangers_share_a_list(
        self, viewers: list[User], me: User, other: User, catalogue: Any
    ) -> None:
        work()
        mine, others = all_runs(me)[0], all_runs(other)[0]
        assert mine.candidates == others.candidates

    def test_a_failure_is_told(
        self,
        client: httpx.Client,
        me: User,
        catalogue: Any,
        set_variables: Callable[..., None],
        tmp_path: Any,
    ) -> None:
        blocked = tmp_path / "a file"
        blocked.write_text("where a folder should be")
        set_variables(MARQUEE_DATA=str(blocked))
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the store says
            work(me)
        set_variables(MARQUEE_DATA=None)
        films, series = all_runs(me)
        assert (films.status, series.status) == ("failed", "failed")
        assert films.error_message
        assert listed(client, me, run_id=films.id)["message"] == "This run has come to nothing."
        assert listed(client, me)["run"] is None

    def test_what_a_killed_worker_began_is_begun_anew(
        self, make: Make, me: User, catalogue: Any
    ) -> None:
        make(RecommendationRun, user_id=me.id, kind="movie", run_type="manual", status="running")
        work(me)
        assert [run.status for run in all_runs(me)] == ["completed", "completed"]

    def test_who_is_gone_gets_none(self, viewers: list[User]) -> None:
        gone = viewers[0]
        db.session.execute(delete(User).where(User.id == gone.id))
        db.session.commit()
        assert work(gone) == {"users": 0, "runs": 0}

    def test_a_number_of_statements_that_does_not_grow(
        self, make: Make, viewers: list[User], catalogue: Any, engine: Engine
    ) -> None:
        work()

        def changed(users: list[User]) -> int:
            for user in users:
                rate(make, user, catalogue["films"][18])
            with statements(engine) as sent:
                assert work()["users"] == len(users)
            return len(sent)

        assert changed(viewers[:1]) == changed(viewers[1:7])


@pytest.mark.parametrize(
    "rating,age",
    [
        *(("G", 0), ("tv-g", 0), ("PG", 10), ("PG-13", 13), ("TV-14", 14), ("R", 17)),
        *(("TV-MA", 17), ("NC-17", 18), ("FSK 16", 16), ("12A", 12), ("18+", 18)),
        *(("NR", None), ("Not Rated", None), ("", None), (None, None), ("1975", None)),
    ],
)
def test_ages(rating: str | None, age: int | None) -> None:
    assert age_of(rating) == age


class TestHousehold:
    """Of a few users, or one, nobody else's taste tells what goes with a film."""

    def test_what_resembles_comes_before_what_is_popular(
        self, client: httpx.Client, make: Make, me: User, catalogue: Any
    ) -> None:
        for film in catalogue["films"][13::2]:
            rate(make, me, film)
        work(me)
        films = [each["title"] for each in listed(client, me)["recommendations"][:5]]
        assert [film["genres"] for film in films] == [["Comedy"]] * 5

    def test_the_next_run_knows_what_came_since(
        self, client: httpx.Client, make: Make, me: User, catalogue: Any
    ) -> None:
        rate(make, me, catalogue["films"][1])
        work(me)
        new = make(Movie, title="New", genres=["Comedy"], popularity=99)
        work(me)
        assert new.id in [each["movie_id"] for each in listed(client, me)["recommendations"]]
