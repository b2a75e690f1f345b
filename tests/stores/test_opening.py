"""A URL that no connector understands, and a place where nothing is, are told with what to try next."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from troth.stores import StoreRefused, StoreUnreachable, open_store


@pytest.mark.parametrize("url", ["", " \n"])
def test_an_empty_url_is_said_to_be_empty(url: str) -> None:
    with pytest.raises(StoreRefused, match="the store URL of shop is empty"):
        open_store("shop", url)


def test_a_path_that_is_there_is_answered_with_its_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("shop.sqlite").touch()
    Path("calls").mkdir()
    for given, meant in [
        ("shop.sqlite", "sqlite:///shop.sqlite"),
        (str(tmp_path / "shop.sqlite"), f"sqlite:///{tmp_path}/shop.sqlite"),
        ("calls", "files:calls"),
    ]:
        with pytest.raises(StoreRefused) as refused:
            open_store("shop", given)
        assert str(refused.value).endswith(f"did you mean {meant}")
    open_store("shop", "sqlite:///shop.sqlite", read_only=True).describe()


@pytest.mark.parametrize("url", ["s3://bucket/hunter2", "S3://bucket", "ftp://ann:hunter2@example.org/x"])
def test_a_place_that_files_may_be_in_is_answered_with_how_its_url_begins(url: str) -> None:
    with pytest.raises(StoreRefused) as refused:
        open_store("shop", url)
    assert str(refused.value).endswith(f"did you mean files:{url.partition(':')[0].lower()}://…")


@pytest.mark.parametrize("url", ["ftp://ann:hunter2@example.org/x", "ann-hunter2", "\0hunter2", "hunter2" * 1000])
def test_what_is_no_path_is_not_repeated(url: str) -> None:
    with pytest.raises(StoreRefused, match="must start with one of these") as refused:
        open_store("shop", url)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("postgresql://ann@127.0.0.1:1/shop", "check host and port, and that the server runs"),
        ("mariadb://ann@127.0.0.1:1/shop", "check host and port, and that the server runs"),
        ("sqlite:////nowhere/shop.sqlite", "a path from the root takes four slashes"),
        ("files:/nowhere", "check the path of its URL"),
    ],
)
def test_where_nothing_answers_the_next_step_is_said(url: str, advice: str) -> None:
    store = open_store("shop", url, read_only=True)
    with pytest.raises(StoreUnreachable, match=advice):
        store.describe()
    store.close()


@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
def test_a_refused_account_is_told_what_to_check(request: pytest.FixtureRequest, engine: str) -> None:
    url = request.getfixturevalue(f"{engine}_url")
    store = open_store("shop", re.sub(r"//(\w+):[^@]*@", r"//\1:hunter2@", url), read_only=True)
    with pytest.raises(StoreRefused, match=r"check each in the URL, .* %40") as refused:
        store.describe()
    store.close()
    assert "hunter2" not in str(refused.value)
