"""marquee/settings.py."""

from pathlib import Path

import pytest

from marquee.settings import BadSetting, read


def test_nothing_need_be_set() -> None:
    values = read({})
    assert (values.port, values.host, values.cache_duration_seconds) == (8080, "127.0.0.1", 30)
    assert (values.production, values.https, values.cors_origins) == (False, False, ())


def test_reads_each_kind() -> None:
    values = read(
        {
            "PORT": " 9000 ",
            "TMDB_TIMEOUT": "2.5",
            "METRICS_ENABLED": "Yes",
            "ACCESS_LOG": "off",
            "CORS_ORIGINS": "https://a.example, https://b.example,",
            "MARQUEE_DATA": "/a folder/data",
            "MARQUEE_ENV": "production",
            "PUBLIC_URL": "https://api.example.org",
            "UNKNOWN": "x",
        }
    )
    assert (values.port, values.tmdb_timeout) == (9000, 2.5)
    assert (values.metrics_enabled, values.access_log) == (True, False)
    assert values.cors_origins == ("https://a.example", "https://b.example")
    assert values.marquee_data == Path("/a folder/data")
    assert (values.production, values.https) == (True, True)


def test_empty_is_unset() -> None:
    assert read({"PORT": "", "REDIS_URL": "  "}) == read({})


@pytest.mark.parametrize(
    "variable,text",
    [
        ("PORT", "http"),
        ("PORT", "80.5"),
        ("PORT", "-1"),
        ("PORT", "70000"),
        ("MARQUEE_THREADS", "0"),
        ("TRUSTED_PROXIES", "-1"),
        ("CACHE_DURATION_SECONDS", "-5"),
        ("TMDB_TIMEOUT", "soon"),
        ("TMDB_TIMEOUT", "nan"),
        ("TMDB_TIMEOUT", "0"),
        ("METRICS_ENABLED", "maybe"),
        ("LOG_LEVEL", "LOUD"),
        ("RATE_LIMIT_AUTH", "a few"),
        ("MARQUEE_ENV", "prod"),
        ("PUBLIC_URL", "api.example.org"),
        ("CORS_ORIGINS", "https://a.example/path"),
        ("STORAGE_URL", "/a/folder"),
        ("STORAGE_URL", "s3://"),
        ("STORAGE_URL", "s3://Bucket"),
        ("STORAGE_URL", "s3://bucket/a b"),
        ("STORAGE_TIMEOUT", "0"),
        ("S3_ENDPOINT_URL", "s3.example.org"),
    ],
)
def test_a_bad_value_names_its_variable(variable: str, text: str) -> None:
    with pytest.raises(BadSetting, match=f"^{variable}="):
        read({variable: text})
