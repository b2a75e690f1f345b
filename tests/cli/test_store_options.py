"""What a store is called that nobody named: after its file or its database, and never after its password."""

from __future__ import annotations

import pytest
from tests.cli.conftest import Ask
from tests.tables import each_row

from troth.cli.store_options import named


@each_row(
    ("url", "name"),
    [
        ("sqlite:///shop.sqlite", "shop"),
        ("sqlite:////srv/ann@example/shop.sqlite?mode=ro", "shop"),
        ("files:/srv/calls/", "calls"),
        ("files:calls", "calls"),
        ("files:s3://bucket/exports", "exports"),
        ("files:s3://bucket", "bucket"),
        ("postgresql:///chinook?host=/run/postgresql", "chinook"),
        ("postgresql://ann@[::1]:5432/chinook", "chinook"),
        ("mysql+pymysql://ann:pass@example.org:3306/music-shop?ssl=true", "music_shop"),
    ],
)
def test_a_store_is_called_after_its_file_or_database(url: str, name: str) -> None:
    assert [store.name for store in named([url])] == [name]


@each_row("between", ["#", "?", "/", "@", ":", "%", "%23", "://", "/x?", "@h/", "@h:1/x#", "1?a="])
@each_row("place", ["host:5432/chinook", "host/chinook?sslmode=require", "host:5432", "host/", ""])
def test_no_part_of_a_password_becomes_a_name(between: str, place: str) -> None:
    password = f"Sup3r{between}Secret"
    for url in (f"postgresql://shop_ro:{password}@{place}", f"files:ftp://shop_ro:{password}@{place}"):
        assert named([url])[0].name in {"chinook", "store", "host"}
    for option in (f"postgresql://host:1/chinook?password={password}", f"postgresql://u:1@h/chinook?x={password}@y/z"):
        assert named([option])[0].name in {"chinook", "store"}


@pytest.mark.parametrize("sign", "#/:%")
def test_the_database_is_known_behind_most_passwords(sign: str) -> None:
    assert named([f"postgresql://shop_ro:Sup3r{sign}Secret@host:5432/chinook"])[0].name == "chinook"


@pytest.mark.parametrize("sign", "#?/@:%")
def test_no_part_of_a_password_is_printed(ask: Ask, sign: str) -> None:
    url = f"postgresql://shop_ro:Sup3r{sign}Secret@127.0.0.1:1/chinook"
    for command in (("audit", "--store", url), ("audit", "--json", "--store", url), ("init", "--store", url)):
        answer = ask(*command)
        assert answer.code in {1, 2}
        assert "Sup3r" not in answer.out + answer.err
        assert "Secret" not in answer.out + answer.err
