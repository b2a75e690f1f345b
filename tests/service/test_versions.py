"""The versions of the policy: published with an entry, refused where they take something from people unannounced."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings as DjangoSettings
from tests.service.test_keep import entries

from troth.ledger import Name
from troth.protect import Keyring
from troth.service import pages
from troth.service.board import keep
from troth.service.board.models import PublishedRow
from troth.service.company import company
from troth.service.configuration import Settings
from troth.service.keys import make_keys

pytestmark = pytest.mark.sampled

STRONG = "# Privacy policy\n\n## Sharing\n\nWe never share your data.\n\n## Time\n\nWe delete sign-ins after 30 days.\n"
WEAK = STRONG.replace("We never share your data.", "We share your data with partners.")
BETTER = STRONG.replace("30 days", "14 days")


class Site:
    """A company whose policy changes, and whose keep loop looks when it is told to."""

    def __init__(self, home: Path, keys: Keyring, told: Settings) -> None:
        self.home, self.keys, self.told = home, keys, told

    def says(self, text: str, *, effective: str = "2026-01-01", more: str = "") -> None:
        (self.home / "policy.md").write_text(text)
        (self.home / "troth.yaml").write_text(f"""
troth: 1
organisation: {{name: Example Ltd, country: GB, address: 1 Example Street, email: privacy@example.org}}
policy:
  file: policy.md
  effective: {effective}
  {more}
""")

    def keeps(self) -> None:
        keep.run_due(timezone.now(), 0, office=keep.Office(company(self.told), self.keys))


@pytest.fixture
def site(database: str, tmp_path: Path, settings: DjangoSettings, monkeypatch: pytest.MonkeyPatch) -> Site:
    keys = Keyring(b"\x01" * 32)
    make_keys(tmp_path)
    told = Settings.read({"TROTH_HOME": str(tmp_path), "TROTH_DECLARATION": str(tmp_path / "troth.yaml")})
    settings.TROTH = told
    monkeypatch.setattr(pages, "keyring", lambda home: keys)
    here = Site(tmp_path, keys, told)
    here.says(STRONG)
    here.keeps()
    return here


@pytest.fixture
def visitor() -> Client:
    return Client(REMOTE_ADDR="203.0.113.7", headers={"host": "localhost"})


def _text(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status, path
    return response.content.decode()


def _published() -> list[str]:
    return list(PublishedRow.objects.order_by("number").values_list("verdict", flat=True))


def test_the_first_version_is_published_with_an_entry(site: Site) -> None:
    assert _published() == ["first"]
    assert [fields["verdict"] for fields in entries("policy.published")] == ["first"]
    site.keeps()
    assert _published() == ["first"]


def test_a_version_that_promises_more_is_published_at_once(site: Site, visitor: Client) -> None:
    site.says(BETTER)
    site.keeps()
    assert _published() == ["first", "strengthened"]
    assert "14 days" in _text(visitor, "/policy/")


def test_a_weaker_version_without_a_plan_is_not_shown_nor_published(site: Site, visitor: Client) -> None:
    site.says(WEAK)
    site.keeps()
    assert _published() == ["first"]
    page = _text(visitor, "/policy/")
    assert "We never share your data." in page
    assert "partners" not in page


def test_a_weaker_version_is_published_once_people_were_told_in_time(site: Site, visitor: Client) -> None:
    site.says(WEAK, effective="2026-02-15", more="announce: {how: [email], days_before: 30, on: 2026-01-10}")
    site.keeps()
    assert _published() == ["first", "weakened"]
    assert "partners" in _text(visitor, "/policy/")


def test_a_version_that_is_told_of_waits_for_its_day(site: Site, visitor: Client) -> None:
    today = timezone.now().date()
    day, told = today + dt.timedelta(days=40), today - dt.timedelta(days=1)
    site.says(WEAK, effective=day.isoformat(), more=f"announce: {{how: [email], days_before: 30, on: {told}}}")
    site.keeps()
    assert _published() == ["first", "weakened"]
    page = _text(visitor, "/policy/")
    assert "We never share your data." in page
    assert "A new version counts from" in page


def test_staff_are_told_why_a_change_is_not_published_and_nobody_else(site: Site, visitor: Client) -> None:
    site.says(WEAK)
    assert "nothing says how people learn of it" not in _text(visitor, "/policy/versions/")
    visitor.force_login(User.objects.create_user(Name.of("ann").text[:20], is_staff=True))
    assert "nothing says how people learn of it" in _text(visitor, "/policy/versions/")


def test_a_refused_change_is_on_no_page_of_the_public(site: Site, visitor: Client) -> None:
    site.says(WEAK, more="publish: {status: public}")
    site.keeps()
    for path in ("/policy/", "/policy/status/", "/policy/versions/", "/policy/?version=2026-01-01", "/your-data/ask/"):
        assert "partners" not in _text(visitor, path), path


def _two(site: Site) -> None:
    (site.home / "old.md").write_text(STRONG)
    more = (
        "announce: {how: [email], days_before: 30, on: 2026-01-10}\n  versions: [{file: old.md, effective: 2025-03-01}]"
    )
    site.says(WEAK, effective="2026-02-15", more=more)


def test_every_version_can_be_read_with_its_day(site: Site, visitor: Client) -> None:
    _two(site)
    assert "We never share your data." in _text(visitor, "/policy/?version=2025-03-01")
    assert "another version" in _text(visitor, "/policy/?version=2025-03-01")
    assert "We share your data with partners." in _text(visitor, "/policy/?version=2026-02-15")
    for nonsense in ("2025-03-02", "x", "../../etc/passwd"):
        _text(visitor, f"/policy/?version={nonsense}", 404)


def test_the_differences_stand_on_a_page_in_words(site: Site, visitor: Client) -> None:
    _two(site)
    page = _text(visitor, "/policy/versions/")
    assert "<del>We never share your data.</del>" in page
    assert "<ins>We share your data with partners.</ins>" in page
    assert "it no longer says not to share" in page
    assert page.index('id="v-2026-02-15"') < page.index('id="v-2025-03-01"')
