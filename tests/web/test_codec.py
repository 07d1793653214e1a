"""marquee/web/codec.py."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import create_engine, literal, select

from marquee.web.codec import Encoders, decoder

MOMENT = {"type": "string", "format": "date-time"}
DAY = {"type": "string", "format": "date", "nullable": True}
FILM: dict[str, Any] = {
    "type": "object",
    "required": ["id", "released"],
    "properties": {"id": {"type": "integer"}, "released": DAY, "seen_at": MOMENT},
}


def comment() -> dict[str, Any]:
    """A comment, with the time that it was made and the answers to it."""
    schema: dict[str, Any] = {
        "type": "object",
        "required": ["at", "answers"],
        "properties": {"at": MOMENT, "answers": {"type": "array"}},
    }
    schema["properties"]["answers"]["items"] = schema
    return schema


@dataclass
class Film:
    id: int = 1
    released: date | None = None
    secret: str = "a secret"


def encode(schema: dict[str, Any], value: object) -> Any:
    made = Encoders().make(schema)
    assert made is not None
    return made(value)


class TestEncoders:
    @pytest.mark.parametrize(
        "thing",
        [
            Film(released=date(1975, 6, 20)),
            {"id": 1, "released": date(1975, 6, 20), "secret": "a secret"},
            SimpleNamespace(id=1, released=date(1975, 6, 20), secret="a secret"),
        ],
    )
    def test_only_what_the_contract_names_goes_out(self, thing: object) -> None:
        assert encode(FILM, thing) == {"id": 1, "released": "1975-06-20"}

    def test_optional_fields_go_out_where_there_are_any(self) -> None:
        moment = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
        thing = {"id": 1, "released": None, "seen_at": moment}
        assert encode(FILM, thing) == {
            "id": 1,
            "released": None,
            "seen_at": "2026-01-02T03:04:05.000006Z",
        }

    def test_a_required_field_that_is_missing_is_a_bug(self) -> None:
        with pytest.raises(KeyError):
            encode(FILM, {"id": 1})
        with pytest.raises(AttributeError):
            encode(FILM, SimpleNamespace(id=1))

    def test_one_field_or_none(self) -> None:
        one = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
        assert encode(one, Film(7)) == {"id": 7}
        none: dict[str, Any] = {"type": "object", "properties": {}}
        assert encode(none, Film(7)) == {}

    def test_times_go_out_in_utc(self) -> None:
        east = timezone(timedelta(hours=5, minutes=30))
        made = Encoders().make(MOMENT)
        assert made is not None
        assert made(datetime(2026, 1, 2, 5, 30, tzinfo=east)) == "2026-01-02T00:00:00.000000Z"
        assert made(datetime(2026, 1, 2, tzinfo=UTC)) == "2026-01-02T00:00:00.000000Z"
        assert made(None) is None

    def test_lists_and_nothing(self) -> None:
        films = {"type": "array", "items": FILM}
        assert encode(films, [Film(1), Film(2)]) == [
            {"id": 1, "released": None},
            {"id": 2, "released": None},
        ]
        assert encode(films, None) is None
        assert encode(FILM, None) is None
        assert Encoders().make({"type": "array", "items": {"type": "integer"}}) is None

    def test_a_schema_may_contain_itself(self) -> None:
        moment = datetime(2026, 1, 2, tzinfo=UTC)
        text = "2026-01-02T00:00:00.000000Z"
        inner = {"at": moment, "answers": [], "secret": 1}
        assert encode(comment(), {"at": moment, "answers": [inner]}) == {
            "at": text,
            "answers": [{"at": text, "answers": []}],
        }

    def test_a_part_may_be_of_any_type_and_may_be_none(self) -> None:
        parts = {"best": FILM, "seen": {"type": "array", "items": MOMENT}, "films": FILM}
        properties = parts | {"films": {"type": "array", "items": FILM}}
        schema = {"type": "object", "required": ["best", "films"], "properties": properties}
        moment = datetime(2026, 1, 2, tzinfo=UTC)
        shown = {"id": 1, "released": None}
        thing = {"best": Film(), "films": [Film(), None, dict(shown)], "seen": [moment]}
        assert encode(schema, thing) == {
            "best": shown,
            "films": [shown, None, shown],
            "seen": ["2026-01-02T00:00:00.000000Z"],
        }
        nothing = {"best": None, "films": None, "seen": None}
        assert encode(schema, nothing) == nothing

    def test_a_row_of_sqlalchemy_is_read_by_key(self) -> None:
        query = select(literal(1).label("id"), literal(None).label("released"))
        with create_engine("sqlite://").connect() as connection:
            row = connection.execute(query).one()
        assert encode(FILM, row) == {"id": 1, "released": None}

    def test_a_name_need_not_be_one_of_python(self) -> None:
        names = ["class", "x-y", "it's"]
        schema = {"type": "object", "required": names, "properties": {name: {} for name in names}}
        thing = dict.fromkeys(names, 1)
        assert encode(schema, thing) == thing
        assert encode(schema, SimpleNamespace(**thing)) == thing

    def test_two_schemas_may_share_a_part(self) -> None:
        encoders = Encoders()
        pair = {"type": "object", "required": ["a", "b"], "properties": {"a": FILM, "b": FILM}}
        made = encoders.make(pair)
        assert made is not None
        shown = {"id": 1, "released": None}
        assert made({"a": Film(), "b": Film()}) == {"a": shown, "b": shown}


class TestDecoder:
    def test_reads_dates_and_times(self) -> None:
        decode = decoder(FILM)
        assert decode is not None
        read = decode({"id": 1, "released": "1975-06-20", "seen_at": "2026-01-02T03:04:05Z"})
        assert read["released"] == date(1975, 6, 20)
        assert read["seen_at"] == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        assert decode({"id": 1, "released": None}) == {"id": 1, "released": None}
        assert decode(None) is None

    def test_fills_in_defaults_and_changes_no_argument(self) -> None:
        schema = {"type": "object", "properties": {"size": {"type": "integer", "default": 3}}}
        decode = decoder(schema)
        assert decode is not None
        given: dict[str, int] = {}
        assert (decode(given), given) == ({"size": 3}, {})
        assert decode({"size": 4}) == {"size": 4}

    def test_says_that_there_is_nothing_to_do(self) -> None:
        assert decoder({"type": "object", "properties": {"id": {"type": "integer"}}}) is None
        assert decoder({"type": "array", "items": {"type": "string"}}) is None

    def test_a_schema_may_contain_itself(self) -> None:
        decode = decoder(comment())
        assert decode is not None
        at = "2026-01-02T00:00:00Z"
        read = decode({"at": at, "answers": [{"at": at, "answers": [{"at": at, "answers": []}]}]})
        innermost = read["answers"][0]["answers"][0]
        assert innermost == {"at": datetime(2026, 1, 2, tzinfo=UTC), "answers": []}

    def test_a_schema_may_contain_itself_and_nothing_to_read(self) -> None:
        tree: dict[str, Any] = {"type": "object", "properties": {"id": {"type": "integer"}}}
        tree["properties"]["inner"] = tree
        decode = decoder(tree)
        value = {"id": 1, "inner": {"id": 2, "inner": {"id": 3}}}
        assert (decode(value) if decode else value) == value

    @pytest.mark.parametrize(
        "text,moment",
        [
            ("0256-07-11T17:55:57+18:28", datetime(256, 7, 10, 23, 27, 57, tzinfo=UTC)),
            ("2026-01-02T00:00:00-00:30", datetime(2026, 1, 2, 0, 30, tzinfo=UTC)),
            ("0001-01-01T00:00:00+01:00", datetime.min.replace(tzinfo=UTC)),
            ("9999-12-31T23:59:59-23:59", datetime.max.replace(tzinfo=UTC)),
        ],
    )
    def test_a_moment_in_any_offset(self, text: str, moment: datetime) -> None:
        read = decoder({"type": "string", "format": "date-time"})
        assert read is not None
        assert (read(text), read(text).tzinfo) == (moment, UTC)
