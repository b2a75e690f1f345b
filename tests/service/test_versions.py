"""The versions of the policy: published with an entry, refused where they take something from people unannounced."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings as DjangoSettings
from tests.service.test_passes import entries

from troth.controls import CheckOutcome, run
from troth.ledger import DeclaredName
from troth.policy import read
from troth.protect import Keyring
from troth.service import pages
from troth.service.assurance import jobs
from troth.service.configuration import Settings
from troth.service.core.deployment import load_deployment
from troth.service.core.keys import make_keys
from troth.service.core.models import CheckRow, Task
from troth.service.policy_pages.controls import held_back_now, is_published_now
from troth.service.policy_pages.models import PublishedRow

pytestmark = pytest.mark.sampled

STRONG = "# Privacy policy\n\n## Sharing\n\nWe never share your data.\n\n## Time\n\nWe delete sign-ins after 30 days.\n"
WEAK = STRONG.replace("We never share your data.", "We share your data with partners.")
_BOUND = """publish: {status: public}
promises:
  - quote: We delete sign-ins after 30 days.
    owner: ann@example.org
    controls: [policy.changes_published]
"""
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

    def keeps(self, *, days_ago: int = 0, checks: int = 0) -> None:
        now = timezone.now() - dt.timedelta(days=days_ago)
        jobs.run_due(now, checks=bool(checks), deployment=load_deployment(self.told).but(keyring=self.keys))

    def plans(self, text: str, *, days: int, told: int = 0, before: int = 30, more: str = "") -> None:
        """The file holds *text*, to count *days* from today on; people were told *told* days ago."""
        on = _day(-told)
        plan = f"announce: {{how: [email], days_before: {before}, on: {on}}}"
        self.says(text, effective=_day(days), more=f"{plan}\n  {more}")


def _day(days: int) -> str:
    return (timezone.localdate() + dt.timedelta(days=days)).isoformat()


@pytest.fixture
def site(database: str, tmp_path: Path, settings: DjangoSettings, monkeypatch: pytest.MonkeyPatch) -> Site:
    keys = Keyring(b"\x01" * 32)
    make_keys(tmp_path)
    told = Settings.read({"TROTH_HOME": str(tmp_path), "TROTH_DECLARATION": str(tmp_path / "troth.yaml")})
    settings.TROTH = told
    monkeypatch.setattr(pages, "keyring", lambda home: keys)
    here = Site(tmp_path, keys, told)
    here.says(STRONG)
    here.keeps(days_ago=90)
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
    site.plans(WEAK, days=-10, told=45)
    site.keeps(days_ago=45)
    assert _published() == ["first", "weakened"]
    assert "partners" in _text(visitor, "/policy/")


def test_a_version_that_is_told_of_waits_for_its_day(site: Site, visitor: Client) -> None:
    site.plans(WEAK, days=40, told=1)
    site.keeps()
    assert _published() == ["first", "weakened"]
    page = _text(visitor, "/policy/")
    assert "We never share your data." in page
    assert "A new version counts from" in page


def test_a_spent_announcement_publishes_no_later_weakening(site: Site, visitor: Client) -> None:
    """Another text with the same day and the same word for it."""
    site.plans(BETTER, days=-10, told=45)
    site.keeps(days_ago=45)
    site.plans(WEAK, days=-10, told=45)
    site.keeps()
    assert _published() == ["first", "strengthened"]
    assert "partners" not in _text(visitor, "/policy/")


def test_an_announced_text_is_not_made_weaker_before_its_day(site: Site) -> None:
    site.plans(BETTER, days=40)
    site.keeps()
    site.plans(WEAK, days=40)
    site.keeps()
    assert _published() == ["first", "strengthened"]


@pytest.mark.parametrize("days", [-1, 0, 1, 29])
def test_people_have_their_days_from_when_the_text_was_first_seen(site: Site, days: int) -> None:
    """Whatever the declaration says of when they were told."""
    site.plans(WEAK, days=days, told=200)
    site.keeps()
    assert _published() == ["first"]


def test_a_plan_is_no_shorter_than_a_fortnight_nor_than_what_is_promised(site: Site) -> None:
    site.plans(WEAK, days=13, before=0)
    site.keeps()
    site.plans(WEAK, days=29, before=0, more="url: /policy/\nnotice: {changes: {how: [email], days_before: 30}}")
    site.keeps()
    assert _published() == ["first"]
    site.plans(WEAK, days=14, before=0)
    site.keeps()
    assert _published() == ["first", "weakened"]


def test_who_will_be_told_later_has_not_been_told(site: Site) -> None:
    site.plans(WEAK, days=60, told=-1)
    site.keeps()
    assert _published() == ["first"]


def test_a_planned_version_that_is_taken_back_does_not_come_into_force(site: Site, visitor: Client) -> None:
    site.plans(WEAK, days=-10, told=45)
    site.keeps(days_ago=45)
    site.says(STRONG)
    site.keeps(days_ago=20)
    assert _published() == ["first", "weakened", "strengthened"]
    assert "We never share your data." in _text(visitor, "/policy/")


def test_a_planned_version_does_not_count_before_the_day_that_people_were_told(site: Site, visitor: Client) -> None:
    site.plans(WEAK, days=40)
    site.keeps()
    site.plans(WEAK, days=-1)
    site.keeps()
    assert _published() == ["first", "weakened"]
    assert "We never share your data." in _text(visitor, "/policy/")


def test_a_version_that_is_declared_to_follow_is_published_before_its_day(site: Site, visitor: Client) -> None:
    """And is the policy's file on its day, without people being told again."""
    (site.home / "next.md").write_text(WEAK)
    told = f"announce: {{how: [email], days_before: 30, on: {_day(-50)}}}"
    site.says(STRONG, more=f"versions: [{{file: next.md, effective: {_day(-10)}, {told}}}]")
    for _ in range(3):
        site.keeps(days_ago=45)
    assert _published() == ["first", "weakened"]
    site.says(WEAK, effective=_day(-10), more=told)
    site.keeps()
    assert _published() == ["first", "weakened"]
    assert "partners" in _text(visitor, "/policy/")


def _word(old: str, new: str) -> str:
    return f"reviewed: {{by: Ann, on: {_day(0)}, text: '{read(new).hash}', than: '{read(old).hash}'}}"


def test_a_doubt_is_settled_by_a_named_persons_word_for_these_texts(site: Site) -> None:
    new = STRONG.replace("sign-ins", "visits")
    site.says(new)
    site.keeps()
    site.says(new, more=_word(BETTER, new))
    site.keeps()
    assert _published() == ["first"]
    site.says(new, more=_word(STRONG, new))
    site.keeps()
    assert _published() == ["first", "reworded"]


def test_nobodys_word_stands_for_a_text_that_promises_less(site: Site) -> None:
    site.says(WEAK, more=_word(STRONG, WEAK))
    site.keeps()
    assert _published() == ["first"]


def test_a_text_that_cannot_be_compared_is_not_published_without_a_plan(site: Site, visitor: Client) -> None:
    german = "# Datenschutz\n\nWir verkaufen Ihre Daten nicht, und das ist auch so, weil sie uns nicht gehören.\n"
    site.says(german)
    site.keeps()
    assert _published() == ["first"]
    site.plans(german, days=30)
    site.keeps()
    assert len(_published()) == 2


def test_nothing_is_shown_before_it_is_recorded(site: Site, visitor: Client) -> None:
    site.says(BETTER)
    assert "30 days" in _text(visitor, "/policy/")
    site.keeps()
    assert "14 days" in _text(visitor, "/policy/")


def test_changes_of_one_day_have_names_of_their_own(site: Site, visitor: Client) -> None:
    site.says(BETTER)
    site.keeps()
    assert "30 days" in _text(visitor, "/policy/?version=2026-01-01")
    assert "14 days" in _text(visitor, "/policy/?version=2026-01-01-2")
    page = _text(visitor, "/policy/versions/")
    assert "?version=2026-01-01-2" in page
    assert "“30 days” became “14 days”" in page


@pytest.mark.parametrize("effective", ["2026-02-15", "2199-01-01"])
def test_a_fresh_database_holds_the_file_against_the_version_before_it(
    site: Site, visitor: Client, effective: str
) -> None:
    PublishedRow.objects.all().delete()
    (site.home / "old.md").write_text(STRONG)
    site.says(WEAK, effective=effective, more="versions: [{file: old.md, effective: 2025-03-01}]")
    for _ in range(2):
        assert "We never share your data." in _text(visitor, "/policy/")
        assert "partners" not in _text(visitor, "/policy/versions/")
        site.keeps()
    assert list(PublishedRow.objects.values_list("verdict", "effective")) == [("first", dt.date(2025, 3, 1))]


def test_staff_are_told_why_a_change_is_not_published_and_nobody_else(site: Site, visitor: Client) -> None:
    site.says(WEAK)
    assert "how people are informed of it is not declared" not in _text(visitor, "/policy/versions/")
    visitor.force_login(User.objects.create_user(DeclaredName.of("ann").text[:20], is_staff=True))
    assert "how people are informed of it is not declared" in _text(visitor, "/policy/versions/")


def test_a_version_that_is_held_back_turns_it_red_and_is_one_task(site: Site) -> None:
    """The policy's file promises less than before, and how people are informed of it is not declared."""
    site.says(STRONG, more=_BOUND)
    site.keeps(checks=9)
    site.says(WEAK, more=_BOUND)
    site.keeps(checks=9)
    site.keeps(checks=9)
    [task] = Task.objects.all()
    assert (task.control, task.closed_at) == ("policy.changes_published", None)
    assert "1 clause promises less" in task.latest.findings[0]["message"]


def test_a_version_that_is_not_published_yet_shows_nothing(site: Site) -> None:
    site.says(BETTER)
    deployment, now = load_deployment(site.told), timezone.now()
    looking = {
        "declaration": deployment.declaration,
        "now": now,
        "held_back": held_back_now(deployment, now),
        "is_published": is_published_now(deployment, now),
    }
    assert run("policy.changes_published", looking).outcome is CheckOutcome.NOT_APPLICABLE
    site.keeps()
    assert run("policy.changes_published", looking).outcome is CheckOutcome.PASS


@pytest.mark.parametrize("is_taken_back", [True, False])
def test_the_task_closes_by_itself_when_there_is_a_plan_or_the_change_is_taken_back(
    site: Site, is_taken_back: bool
) -> None:
    site.says(WEAK)
    site.keeps(checks=9)
    assert Task.objects.get().closed_at is None
    if is_taken_back:
        site.says(STRONG)
    else:
        site.plans(WEAK, days=40, told=0)
    site.keeps(checks=9)
    assert Task.objects.get().closed_at is not None
    assert _published() == (["first"] if is_taken_back else ["first", "weakened"])


def test_nobody_is_asked_while_nothing_is_held_back(site: Site) -> None:
    site.says(BETTER)
    site.keeps(checks=9)
    assert not CheckRow.objects.exists()


def test_the_task_is_the_officers_where_no_promise_rests_on_it(site: Site, visitor: Client) -> None:
    site.says(WEAK)
    site.keeps(checks=9)
    visitor.force_login(User.objects.create_user(DeclaredName.of("ann").text[:20], is_staff=True))
    [task] = visitor.get("/policy/status.json").json()["tasks"]
    assert task["owners"] == ["privacy@example.org"]


def test_a_refused_change_is_on_no_page_of_the_public(site: Site, visitor: Client) -> None:
    site.says(WEAK, more="publish: {status: public}")
    site.keeps()
    for path in ("/policy/", "/policy/status/", "/policy/versions/", "/policy/?version=2026-01-01", "/your-data/ask/"):
        assert "partners" not in _text(visitor, path), path


def _two(site: Site) -> str:
    """A company with one version before those that were published here, and a weaker one since ten days."""
    (site.home / "old.md").write_text(STRONG.replace("30 days", "60 days"))
    site.plans(WEAK, days=-10, told=45, more="versions: [{file: old.md, effective: 2025-03-01}]")
    site.keeps(days_ago=45)
    return _day(-10)


def test_every_version_can_be_read_with_its_day(site: Site, visitor: Client) -> None:
    latest = _two(site)
    assert "60 days" in _text(visitor, "/policy/?version=2025-03-01")
    assert "another version" in _text(visitor, "/policy/?version=2025-03-01")
    assert "We share your data with partners." in _text(visitor, f"/policy/?version={latest}")
    for nonsense in ("2025-03-02", "x", "../../etc/passwd", f"{latest}-2"):
        _text(visitor, f"/policy/?version={nonsense}", 404)


def test_the_differences_stand_on_a_page_in_words(site: Site, visitor: Client) -> None:
    latest = _two(site)
    page = _text(visitor, "/policy/versions/")
    assert "<del>We never share your data.</del>" in page
    assert "<ins>We share your data with partners.</ins>" in page
    assert "it no longer says not to share" in page
    assert page.index(f'id="v-{latest}"') < page.index('id="v-2026-01-01"') < page.index('id="v-2025-03-01"')
