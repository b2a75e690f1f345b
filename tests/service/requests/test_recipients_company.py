"""Everybody in the example company asks for an erasure: each recipient learns only of those whose data it had."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from example_voice import Places, lay_down
from tests.service.requests.conftest import Office
from tests.service.requests.test_everywhere import NOW, VOICE

from troth.service.cases.content import CaseContent
from troth.service.cases.intake import receive
from troth.service.cases.models import Case, CaseEvent, CaseKind, CaseState, Channel
from troth.service.configuration import Settings
from troth.service.core.keys import make_keys
from troth.service.core.store_pool import close_stores
from troth.service.disclosures.models import RecipientNotification

# What shows that somebody's data went there, asked of the stores by itself: who, by e-mail address.
_SHOWN = {
    "post": ("newsletter", "SELECT lower(email) FROM subscriber"),
    "pay": ("shop", "SELECT lower(email) FROM customer WHERE id IN (SELECT customer_id FROM payment_method)"),
    "ledgers": ("shop", "SELECT lower(email) FROM customer WHERE id IN (SELECT customer_id FROM invoice)"),
}


@pytest.fixture
def company(database: str, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    told = Settings.read(
        {
            "TROTH_HOME": str(tmp_path / "home"),
            "TROTH_DATABASE_URL": database,
            "TROTH_DECLARATION": str(tmp_path / "troth.yaml"),
        }
    )
    told.home.mkdir(mode=0o700)
    make_keys(told.home)
    settings.TROTH = told
    for name in ("troth.yaml", "policy.md"):
        (tmp_path / name).write_bytes((VOICE / name).read_bytes())
    (tmp_path / "company").mkdir()
    for name, value in Places.in_folder(tmp_path / "company").environment().items():
        monkeypatch.setenv(name, value)
    yield Office(tmp_path, told)
    close_stores()


def asked(company: Office, database: str, query: str) -> set[str]:
    with sqlite3.connect(company.folder / "company" / f"{database}.sqlite") as store:
        return {str(row[0]) for row in store.execute(query)}


def batched(everybody: list[str], size: int) -> Iterator[list[str]]:
    return (everybody[at : at + size] for at in range(0, len(everybody), size))


@pytest.mark.sampled
@pytest.mark.parametrize("people", [40, pytest.param(4_000, marks=pytest.mark.soak)])
def test_no_recipient_is_told_of_anybody_without_evidence(company: Office, people: int) -> None:
    lay_down(Places.in_folder(company.folder / "company"), people=people, seed=9, now=NOW)
    everybody = set[str]()
    for database, table, column in (
        ("shop", "customer", "email"),
        ("desk", "ticket", "opened_by_email"),
        ("newsletter", "subscriber", "email"),
        ("logins", "account", "email"),
    ):
        everybody |= asked(company, database, f"SELECT lower({column}) FROM {table}")
    shown = {name: asked(company, *where) for name, where in _SHOWN.items()}
    of_case = dict[str, str]()
    for some in batched(sorted(everybody), 100):
        for who in some:
            content = CaseContent(address=who, identifiers=(("email", who),))
            intake = receive.Intake(CaseKind.REQUEST, content, Channel.API, right="erase", tier=1)
            of_case[receive.receive(intake, company.deployment, now=company.now()).reference] = who
        company.work()

    closed = set(Case.objects.filter(state=CaseState.CLOSED).values_list("reference", flat=True))
    assert len(closed) > 0.8 * len(everybody), "a few share an address, and somebody has to look"
    letters, tasks = defaultdict[str, set[str]](set), Counter[str]()
    for notice in RecipientNotification.objects.all():
        if notice.letter_id is not None:
            letters[notice.recipient].add(of_case[notice.case])
        else:
            tasks[notice.recipient] += 1
    answered = {of_case[reference] for reference in closed}
    without = {name: len(told - shown.get(name, set())) for name, told in letters.items()}
    assert not any(without.values()), f"told without evidence: {without}"
    kept = Counter(
        name
        for facts in CaseEvent.objects.filter(what="recipients_told").values_list("facts", flat=True)
        for name in facts["not_told_as_kept"]
    )
    assert set(letters) == set(shown)
    for name in shown:
        assert letters[name] == shown[name] & answered, name
    assert kept == {}, "of an invoice, the e-mail address goes"
    assert tasks["hosting"] == len(answered), "what nothing shows, somebody finds out"
    only_desk = answered - asked(company, "shop", "SELECT lower(email) FROM customer")
    ticket = next(iter(sorted(only_desk - set[str]().union(*shown.values()))))
    [reference] = [one for one, who in of_case.items() if who == ticket]
    assert "recipient_notice" not in company.letters(Case.objects.get(reference=reference))
