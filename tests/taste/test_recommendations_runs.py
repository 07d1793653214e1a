"""openapi/taste/recommendations.yaml: what is recommended to users by what they did."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, delete, update

from marquee import db
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.translations.models import Translation
from marquee.identity.users.models import User
from marquee.job_runs import JobRun
from marquee.taste.favorites.models import Favorite
from marquee.taste.ratings.models import Rating
from marquee.taste.recommendations import runs
from marquee.taste.recommendations.models import RecommendationRun
from tests.answers import refused
from tests.queries import statements
from tests.taste.recommended import FILMS, all_runs, listed, names, rate, work

Make = Callable[..., Any]


class TestListUserRecommendations:
    def test_what_the_user_loves_comes_first(
        self, client: httpx.Client, make: Make, me: User, viewers: list[User], catalogue: Any
    ) -> None:
        films = catalogue["films"]
        rate(make, me, *films[0:6:2])
        make(Favorite, user_id=me.id, movie_id=films[6].id)
        assert work(me) == {"users": 1, "runs": 2}
        answer = listed(client, me)
        found = answer["recommendations"]
        assert [each["rank"] for each in found] == list(range(1, FILMS - 4 + 1))
        assert not {film.id for film in films[0:8:2]} & {each["movie_id"] for each in found}
        first = found[0]
        assert first["title"]["genres"] == ["Horror"]
        similar = {each["title"]["title"]: each["similarity_score"] for each in found}
        others = [f"Film {number}" for number in range(1, FILMS, 2)]
        assert min(similar["Film 8"], similar["Film 10"]) > max(similar[each] for each in others)
        assert (first["selected_rank"], first["is_selected"], first["tvshow_id"]) == (1, True, None)
        assert first["title"]["id"] == first["movie_id"]
        run = answer["run"]
        assert (run["media_type"], run["run_type"], run["status"]) == (
            *("movie", "manual", "completed"),
        )
        assert (run["candidate_count"], run["selected_count"]) == (len(found), 12)
        assert answer["message"] is None

    def test_parts_add_up_exactly(
        self, client: httpx.Client, make: Make, me: User, viewers: list[User], catalogue: Any
    ) -> None:
        me.preferences = {"dislike_behavior": "penalize"}
        rate(make, me, *catalogue["films"][0:6:2])
        rate(make, me, catalogue["films"][8], score=1)
        work(me)
        found = listed(client, me)["recommendations"]
        assert any(each["score_breakdown"]["penalty"] for each in found)
        for each in found:
            parts = {name: Decimal(str(part)) for name, part in each["score_breakdown"].items()}
            assert sum(parts.values()) == Decimal(str(each["final_score"]))
            similarity = parts["collaborative"] + parts["content"]
            assert similarity == Decimal(str(each["similarity_score"]))
        scores = [each["final_score"] for each in found]
        assert scores == sorted(scores, reverse=True)

    def test_dislikes_are_excluded_or_lowered(
        self, client: httpx.Client, make: Make, me: User, viewers: list[User], catalogue: Any
    ) -> None:
        rate(make, me, *catalogue["films"][0:6:2])
        work(me)
        best = listed(client, me)["recommendations"][0]
        make(Rating, user_id=me.id, movie_id=best["movie_id"], score=2)
        work(me)
        assert best["title"]["title"] not in names(listed(client, me))
        assert client.put("/users/me/preferences", json={"dislike_behavior": "penalize"})
        work(me)
        (again,) = (
            each
            for each in listed(client, me)["recommendations"]
            if each["movie_id"] == best["movie_id"]
        )
        assert again["score_breakdown"]["penalty"] < 0
        assert again["final_score"] < best["final_score"]

    def test_series_are_a_list_of_their_own(
        self, client: httpx.Client, make: Make, me: User, viewers: list[User], catalogue: Any
    ) -> None:
        shows = catalogue["shows"]
        make(Rating, user_id=me.id, tvshow_id=shows[0].id, score=9)
        work(me)
        found = listed(client, me, media_type="tvshow")["recommendations"]
        assert {each["tvshow_id"] for each in found} == {show.id for show in shows[1:]}
        assert found[0]["tvshow_id"] == shows[2].id
        assert found[0]["movie_id"] is None
        assert len(listed(client, me)["recommendations"]) == FILMS

    def test_nothing_above_the_users_age(
        self, client: httpx.Client, make: Make, me: User, catalogue: Any
    ) -> None:
        films = catalogue["films"]
        ratings = ("G", "PG", "PG-13", "R", "NC-17", None)
        for number, film in enumerate(films):
            film.age_rating = ratings[number % 6]
        me.max_parental_rating = 10
        db.session.commit()
        work(me)
        shown = names(listed(client, me))
        fit = [film.title for number, film in enumerate(films) if number % 6 in {0, 1, 5}]
        assert sorted(shown) == sorted(fit)
        db.session.execute(update(User).where(User.id == me.id).values(max_parental_rating=0))
        db.session.commit()
        still = names(listed(client, me))
        assert sorted(still) == sorted(
            film.title for number, film in enumerate(films) if number % 6 in {0, 5}
        )

    def test_a_stranger_gets_what_is_popular(
        self, client: httpx.Client, me: User, viewers: list[User], catalogue: Any
    ) -> None:
        work(me)
        found = listed(client, me, selected=True)["recommendations"]
        assert len(found) == 12
        assert found[0]["title"]["title"] == "Film 0"
        parts = found[0]["score_breakdown"]
        assert parts["popularity"] > parts["collaborative"]

    def test_the_same_again(
        self, client: httpx.Client, make: Make, me: User, viewers: list[User], catalogue: Any
    ) -> None:
        rate(make, me, *catalogue["films"][0:6:2])
        work(me)
        first = listed(client, me)["recommendations"]
        work(me)
        assert listed(client, me)["recommendations"] == first

    def test_the_list_and_what_follows(
        self, client: httpx.Client, me: User, catalogue: Any
    ) -> None:
        work(me)
        whole = names(listed(client, me))
        assert names(listed(client, me, selected=True)) == whole[:12]
        assert names(listed(client, me, selected=False)) == whole[12:]

    def test_an_earlier_run(
        self, client: httpx.Client, make: Make, me: User, make_user: Make, catalogue: Any
    ) -> None:
        work(me)
        first, series, *_ = all_runs(me)
        work(me)
        assert listed(client, me, run_id=first.id)["run"]["id"] == first.id
        assert listed(client, me)["run"]["id"] > first.id
        assert listed(client, me, run_id=series.id)["run"]["media_type"] == "tvshow"
        begun = make(
            RecommendationRun, user_id=me.id, kind="movie", run_type="manual", status="running"
        )
        assert listed(client, me, run_id=begun.id)["message"] == "This run has not ended yet."
        assert listed(client, me)["run"]["id"] != begun.id
        other = make_user()
        run = make(
            RecommendationRun, user_id=other.id, kind="movie", run_type="manual", status="failed"
        )
        answer = client.get(f"/users/{me.id}/recommendations", params={"run_id": run.id})
        assert refused(answer) == (404, "RECOMMENDATION_RUN_NOT_FOUND")

    def test_without_a_run(self, client: httpx.Client, make: Make, me: User) -> None:
        answer = listed(client, me)
        assert (answer["run"], answer["recommendations"]) == (None, [])
        assert "POST" in answer["message"]
        me.series_enabled = False
        db.session.commit()
        answer = listed(client, me, media_type="tvshow")
        assert answer["message"] == "No series are recommended to this user."

    def test_what_is_gone_is_left_out(self, client: httpx.Client, me: User, catalogue: Any) -> None:
        work(me)
        db.session.execute(delete(Movie).where(Movie.id == catalogue["films"][0].id))
        db.session.commit()
        found = listed(client, me)["recommendations"]
        assert len(found) == FILMS - 1
        assert found[0]["rank"] == 2

    def test_in_another_language(
        self, client: httpx.Client, make: Make, me: User, catalogue: Any
    ) -> None:
        film = catalogue["films"][0]
        make(Translation, movie_id=film.id, language="de-DE", title="Der Film")
        work(me)
        assert names(listed(client, me, language="de"))[0] == "Der Film"

    def test_whose_they_may_be(
        self, client: httpx.Client, admin: httpx.Client, me: User, other: User
    ) -> None:
        assert refused(client.get(f"/users/{other.id}/recommendations")) == (
            *(403, "INSUFFICIENT_PERMISSIONS"),
        )
        assert admin.get(f"/users/{me.id}/recommendations").status_code == 200
        answer = admin.get("/users/999999/recommendations")
        assert refused(answer) == (404, "USER_NOT_FOUND")

    def test_a_number_of_statements_that_does_not_grow(
        self, client: httpx.Client, me: User, catalogue: Any, engine: Engine
    ) -> None:
        def asked() -> int:
            with statements(engine) as sent:
                listed(client, me)
            return len(sent)

        listed(client, me)
        before = asked()
        work(me)
        assert before + 1 >= asked()

    def test_its_old_path(self, client: httpx.Client, me: User) -> None:
        for path in ("", "/history", "/movie/42/insights"):
            answer = client.get(f"/recommendations/{me.id}{path}?a=1")
            assert answer.status_code == 308
            target = f"/api/v1/users/{me.id}/recommendations{path}?a=1"
            assert answer.headers["location"] == target
        # What a quiz recommends stands there too; its names have a letter.
        answer = client.get(f"/recommendations/{me.id:011}x")
        assert refused(answer) == (404, "RECOMMENDATION_NOT_FOUND")


class TestCreateUserRecommendations:
    def test_asks_for_a_run(self, client: httpx.Client, me: User, catalogue: Any) -> None:
        path = f"/users/{me.id}/recommendations"
        answer = client.post(path)
        assert answer.status_code == 202
        run = db.session.get_one(JobRun, answer.json()["job_id"])
        assert (run.job_name, run.arguments) == ("recommend", {"user_id": me.id})
        again = client.post(path)
        assert refused(again) == (409, "JOB_RUNNING")
        assert again.json()["error"]["details"] == {"job_id": run.id}

    def test_three_films_are_enough(self, client: httpx.Client, me: User, catalogue: Any) -> None:
        """From nothing trained at all to a list, as on a laptop."""
        for film in catalogue["films"][0:6:2]:
            client.post("/movies/ratings", json={"movie_id": film.id, "rating": 5})
        assert client.post(f"/users/{me.id}/recommendations").status_code == 202
        work(me)
        assert len(listed(client, me, selected=True)["recommendations"]) == 12

    def test_for_others(
        self, client: httpx.Client, admin: httpx.Client, me: User, other: User
    ) -> None:
        assert refused(client.post(f"/users/{other.id}/recommendations"))[0] == 403
        assert admin.post(f"/users/{other.id}/recommendations").status_code == 202
        assert refused(admin.post("/users/999999/recommendations")) == (404, "USER_NOT_FOUND")

    def test_only_what_the_user_is_to_be_given(
        self, client: httpx.Client, me: User, catalogue: Any
    ) -> None:
        me.series_enabled = False
        db.session.commit()
        assert work(me) == {"users": 1, "runs": 1}
        me.movies_enabled = False
        db.session.add(me)
        db.session.commit()
        answer = client.post(f"/users/{me.id}/recommendations")
        assert refused(answer) == (409, "RECOMMENDATIONS_DISABLED")
        assert work(me) == {"users": 0, "runs": 0}


class TestListUserRecommendationHistory:
    def test_the_latest_first(
        self, client: httpx.Client, admin: httpx.Client, me: User, catalogue: Any
    ) -> None:
        for _ in range(3):
            work(me)
        path = f"/users/{me.id}/recommendations/history"
        first = client.get(path, params={"limit": 4}).json()
        rest = client.get(path, params={"limit": 4, "cursor": first["next_cursor"]}).json()
        ids = [each["id"] for each in (*first["items"], *rest["items"])]
        assert ids == [run.id for run in reversed(all_runs(me))]
        assert (len(ids), rest["next_cursor"]) == (6, None)
        assert admin.get(path).json()["items"] == client.get(path).json()["items"]
        assert refused(admin.get("/users/999999/recommendations/history"))[0] == 404

    def test_not_anothers(self, client: httpx.Client, other: User) -> None:
        assert client.get(f"/users/{other.id}/recommendations/history").status_code == 403

    def test_candidates_of_the_latest_are_kept(
        self, client: httpx.Client, me: User, catalogue: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(runs, "KEPT", 2)
        monkeypatch.setattr(runs, "REMEMBERED", 3)
        for _ in range(4):
            work(me)
        films = [run for run in all_runs(me) if run.kind == "movie"]
        db.session.expire_all()
        assert [len(run.candidates) for run in films] == [0, FILMS, FILMS]
        answer = listed(client, me, run_id=films[0].id)
        assert answer["message"] == "What this run recommended is not kept any more."
