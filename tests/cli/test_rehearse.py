"""``troth rehearse`` on the shop of the tutorial."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import Ask

SHOP = Path(__file__).parents[2] / "examples" / "shop"
PROMISES = """
  - quote: We do not ask for your date of birth.
    owner: privacy@example.org
    controls: [stores.schema_declared]
  - quote: We share your data with no one else.
    owner: privacy@example.org
    attest: {by: ben@example.org, says: Nobody gets it., on: 2026-11-02, until: 2027-02-02}
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(SHOP, tmp_path, dirs_exist_ok=True)
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as made:
        made.executescript((tmp_path / "shop.sql").read_text())
    monkeypatch.setenv("SHOP_DATABASE_URL", f"sqlite:///{tmp_path}/shop.sqlite")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_shop_is_rehearsed_and_its_database_is_not_touched(ask: Ask, shop: Path) -> None:
    with (shop / "troth.yaml").open("a", encoding="utf-8") as file:
        file.write(PROMISES)
    before = (shop / "shop.sqlite").read_bytes()
    done = ask("rehearse", "-d", "troth.yaml", "--json", "--html", "page.html", "--at-least", "1")
    told = json.loads(done.out)
    by = {it["quote"]: it for it in told["promises"]}
    logins = by["We delete logins after ninety days."]
    assert (logins["verdict"], by["We share your data with no one else."]["verdict"]) == ("notices", "stated")
    assert {it["status"] for it in logins["planted"]} == {"broken"}
    assert "A deletion job misses a row." in {it["text"] for it in logins["planted"]}
    assert done.code == (0 if told["score"] == 1 else 1)
    assert (shop / "shop.sqlite").read_bytes() == before
    assert "We delete logins" in (shop / "page.html").read_text()
    assert sorted(it.name for it in shop.iterdir()) == sorted(
        [*(it.name for it in SHOP.iterdir()), "page.html", "shop.sqlite"]
    )


def test_a_share_above_one_is_refused(ask: Ask, shop: Path) -> None:
    assert ask("rehearse", "--at-least", "2").code == 2
