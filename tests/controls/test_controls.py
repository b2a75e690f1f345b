"""How this package answers its controls: each passes in a good world, and its mutation turns it red."""

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.rig.filelog import FileLog
from tests.rig.witness import FakeWitness, serving

from troth.controls import Check, CheckOutcome
from troth.declaration import Declaration
from troth.ledger import Entry, cosign
from troth.protect import (
    Keychain,
    Keyring,
    KeyState,
    Purpose,
    create_home,
    plan_approver,
    read_approvers,
    take_inventory,
    write_approvers,
)

Ask = Callable[..., Check]


@pytest.fixture
def keyring() -> Keyring:
    return Keyring(bytes(range(32)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def log(folder: Path, keyring: Keyring) -> Iterator[FileLog]:
    with FileLog(folder, keyring.signer()) as opened:
        yield opened


def created(keyring: Keyring, at: dt.datetime) -> Entry:
    return Entry("keys.created", at, {"key": keyring.id, "purpose": "root"})


# --- declaration.complete ---------------------------------------------------------------------------------------------


def test_a_category_without_a_purpose_is_found(ask: Ask, company: dict[str, Any]) -> None:
    assert ask("declaration.complete").outcome is CheckOutcome.PASS

    company["purposes"]["account"]["data"] = ["user.contact"]
    check = ask("declaration.complete")

    assert check.outcome is CheckOutcome.FAIL
    assert [finding.place for finding in check.findings] == ["shop.customer.name"]
    assert check.figures["without purpose"] == 1


def test_a_table_without_a_period_is_found(ask: Ask, company: dict[str, Any]) -> None:
    assert ask("declaration.complete").outcome is CheckOutcome.PASS

    del company["retention"]["customers"]
    assert [finding.place for finding in ask("declaration.complete").findings] == ["shop.customer"]


def test_rows_have_the_period_of_the_row_they_belong_to(ask: Ask, company: dict[str, Any]) -> None:
    orders: dict[str, Any] = {"belongs_to": {"customer_id": "customer.id"}, "fields": {"name": "user.name"}}
    company["systems"]["shop"]["tables"]["orders"] = orders
    assert ask("declaration.complete").outcome is CheckOutcome.PASS

    orders["belongs_to"] = {"other_id": "orders.id"}
    assert ask("declaration.complete").outcome is CheckOutcome.FAIL


def test_an_asked_system_says_how_long_it_keeps_what_it_holds(ask: Ask, company: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"answers": ["view"], "holds": {"who": "user.name"}, "retain": "2 years"}
    company["systems"]["desk"] = {"store": "hook:desk", "asked": asked}
    assert ask("declaration.complete").outcome is CheckOutcome.PASS

    del asked["retain"]
    asked["holds"]["shoe"] = "user.financial"
    check = ask("declaration.complete")
    assert [finding.place for finding in check.findings] == ["desk.shoe", "desk.asked"]


def test_an_impact_assessment_that_is_not_there_is_found(
    ask: Ask, company: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    named = {"file": "assessments/account.md", "on": "2026-09-14"}
    company["purposes"]["account"]["risk"] = {"assessment": named}
    check = ask("declaration.complete")
    assert [(it.place, it.message) for it in check.findings] == [
        ("purposes.account", "the file of its impact assessment is not there")
    ]
    path = tmp_path / named["file"]
    path.parent.mkdir()
    path.write_text("")
    assert "is empty" in ask("declaration.complete").findings[0].message
    path.write_text("Our assessment, at length.")
    assert ask("declaration.complete").outcome is CheckOutcome.PASS
    for elsewhere in ("https://example.org/assessment.pdf", "the safe of the officer"):
        named["file"] = elsewhere
        assert ask("declaration.complete").outcome is CheckOutcome.PASS, (
            "it does not look there, and cannot_see says so"
        )


def test_unnamed_interests_and_undeclared_disclosures_are_gaps(ask: Ask, company: dict[str, Any]) -> None:
    company["purposes"]["account"]["basis"] = "legitimate_interests"
    company["recipients"]["mailer"]["receives"] = ["user.financial"]
    check = ask("declaration.complete")

    assert (check.outcome, check.figures["other gaps"]) == (CheckOutcome.FAIL, 2)


def test_a_recipient_of_nothing_is_a_gap(ask: Ask, company: dict[str, Any]) -> None:
    assert ask("declaration.complete").outcome is CheckOutcome.PASS
    company["recipients"]["mailer"]["receives"] = []
    assert [finding.place for finding in ask("declaration.complete").findings] == ["recipients.mailer"]


def test_the_purpose_of_troths_own_records_counts_for_these_alone(ask: Ask, company: dict[str, Any]) -> None:
    cases = {"fields": {"content": "user"}, "belongs_to": {"who": "shop.customer.id"}}
    own = {"store": "${TROTH_DATABASE_URL}", "purposes": ["cases"], "tables": {"cases_case": cases}}
    company["systems"]["troth"] = own
    company["purposes"]["cases"] = {"basis": "legal_obligation", "use": "essential", "data": ["user"]}
    assert ask("declaration.complete").outcome is CheckOutcome.PASS

    company["systems"]["shop"]["tables"]["customer"]["fields"]["print"] = "user.biometric"
    assert [finding.place for finding in ask("declaration.complete").findings] == ["shop.customer.print"]

    company["systems"]["shop"]["purposes"] = ["cases"]  # then it is the company's, too
    assert ask("declaration.complete").outcome is CheckOutcome.PASS


@pytest.mark.parametrize(
    ("section", "name", "change"),
    [
        ("purposes", "account", {"data": ["user"]}),
        ("purposes", "account", {"basis": "vital_interests"}),
        ("retention", "customers", {"for": "900 years"}),
    ],
)
def test_it_does_not_see_that_what_is_declared_is_too_much_or_wrong(
    ask: Ask, company: dict[str, Any], section: str, name: str, change: dict[str, Any]
) -> None:
    company[section][name].update(change)
    assert ask("declaration.complete").outcome is CheckOutcome.PASS


def test_a_declaration_of_nothing_is_not_complete(ask: Ask, company: dict[str, Any]) -> None:
    company["systems"], company["retention"] = {}, {}
    assert ask("declaration.complete").outcome is CheckOutcome.NOT_APPLICABLE


# --- ledger.intact ----------------------------------------------------------------------------------------------------


@pytest.fixture
def witness(log: FileLog, now: dt.datetime) -> FakeWitness:
    return FakeWitness("witness.example.org/w1", (log.verifier,), clock=now.timestamp)


def witnessed_by(company: dict[str, Any], *witnesses: FakeWitness, quorum: int | None = None) -> None:
    listed = [{"key": str(each.key), "url": "https://witness.example.org"} for each in witnesses]
    company["ledger"] = {"witnesses": listed, "quorum": quorum}


def have_cosigned(log: FileLog, witness: FakeWitness) -> None:
    with serving(lambda _, body: witness.add_checkpoint(body)) as url, httpx.Client() as client:
        assert cosign(log, {witness.key: url}, client) == []


def test_one_flipped_bit_is_found(
    ask: Ask,
    company: dict[str, Any],
    log: FileLog,
    folder: Path,
    witness: FakeWitness,
    keyring: Keyring,
    now: dt.datetime,
) -> None:
    witnessed_by(company, witness)
    log.append([created(keyring, now)] * 300)
    have_cosigned(log, witness)
    assert ask("ledger.intact", log=log).outcome is CheckOutcome.PASS

    (bundle,) = [path for path in folder.rglob("tile/entries/000") if path.is_file()]
    content = bytearray(bundle.read_bytes())
    content[40] ^= 1
    bundle.chmod(0o600)
    bundle.write_bytes(content)
    check = ask("ledger.intact", log=log)

    assert check.outcome is CheckOutcome.FAIL
    assert check.findings[0].place == "leaf 0"


def test_it_says_since_when_and_up_to_which_entry_it_looked(
    ask: Ask, log: FileLog, folder: Path, keyring: Keyring, now: dt.datetime
) -> None:
    log.append([created(keyring, now - dt.timedelta(days=30))] * 256)
    check = ask("ledger.intact", log=log)
    assert check.evidence.period == (now - dt.timedelta(days=30), now)
    assert (check.evidence.population, check.evidence.tested) == (256, 256)
    (bundle,) = folder.rglob("tile/entries/000")
    spoiled = bytearray(bundle.read_bytes())
    spoiled[-1] ^= 1
    bundle.chmod(0o600)
    bundle.write_bytes(spoiled)
    assert ask("ledger.intact", log=log).evidence.tested == 255


def test_a_ledger_signed_anew_is_not_the_one_that_was_cosigned(
    ask: Ask,
    company: dict[str, Any],
    log: FileLog,
    keyring: Keyring,
    witness: FakeWitness,
    now: dt.datetime,
    tmp_path: Path,
) -> None:
    witnessed_by(company, witness)
    log.append([created(keyring, now)] * 5)
    have_cosigned(log, witness)
    assert ask("ledger.intact", log=log).outcome is CheckOutcome.PASS

    with FileLog(tmp_path / "rewritten", keyring.signer()) as rewritten:
        rewritten.append([created(keyring, now - dt.timedelta(days=1))] * 10)
        rewritten.checkpoint()
        check = ask("ledger.intact", log=rewritten)
        assert check.outcome is CheckOutcome.NOT_APPLICABLE, "it verifies, and no outsider knows it"
        assert check.summary.endswith("Only we hold a recent checkpoint of it: no witness has cosigned yet.")
        rewritten.keep_cosigned(log.cosigned() or "")
        check = ask("ledger.intact", log=rewritten)
    assert check.outcome is CheckOutcome.FAIL
    assert "does not begin with the 5 entries of the cosigned checkpoint" in check.findings[0].message


def test_a_ledger_of_which_only_we_hold_a_checkpoint_is_unproven(
    ask: Ask, company: dict[str, Any], log: FileLog, keyring: Keyring, witness: FakeWitness, now: dt.datetime
) -> None:
    log.append([created(keyring, now)] * 5)
    log.checkpoint()
    assert "no witness is declared" in ask("ledger.intact", log=log).summary
    log.keep_cosigned(log.checkpoint())  # signed by nobody but us
    witnessed_by(company, witness)
    assert ask("ledger.intact", log=log).outcome is CheckOutcome.NOT_APPLICABLE
    have_cosigned(log, witness)
    assert ask("ledger.intact", log=log).outcome is CheckOutcome.PASS
    assert ask("ledger.intact", log=log, now=now + dt.timedelta(hours=24)).outcome is CheckOutcome.NOT_APPLICABLE
    log.append([created(keyring, now)])
    assert ask("ledger.intact", log=log).outcome is CheckOutcome.PASS, "the next cosignature is not due yet"


@pytest.mark.parametrize("control", ["ledger.intact", "ledger.witnessed"])
def test_neither_an_old_checkpoint_nor_one_dated_ahead_vouches_for_what_came_since(
    ask: Ask, company: dict[str, Any], log: FileLog, keyring: Keyring, now: dt.datetime, control: str
) -> None:
    ahead = FakeWitness("witness.example.org/w1", (log.verifier,), clock=lambda: now.timestamp() + 86_400 * 300)
    witnessed_by(company, ahead)
    log.append([created(keyring, now - dt.timedelta(days=3))])
    have_cosigned(log, ahead)
    assert ask(control, log=log).outcome is not CheckOutcome.PASS
    today = FakeWitness("witness.example.org/w2", (log.verifier,), clock=now.timestamp)
    witnessed_by(company, today)
    have_cosigned(log, today)
    assert ask(control, log=log).outcome is CheckOutcome.PASS
    log.append([created(keyring, now - dt.timedelta(days=2))])
    assert ask(control, log=log).outcome is not CheckOutcome.PASS


def test_it_does_not_see_what_was_never_recorded(
    ask: Ask, company: dict[str, Any], log: FileLog, keyring: Keyring, witness: FakeWitness, now: dt.datetime
) -> None:
    """An accomplice as witness, and work without an entry, show nowhere."""
    witnessed_by(company, witness)
    log.append([created(keyring, now)])
    have_cosigned(log, witness)
    assert ask("ledger.intact", log=log).outcome is CheckOutcome.PASS


def test_a_clock_that_went_back_is_an_error_until_it_is_fixed(
    ask: Ask, company: dict[str, Any], log: FileLog, keyring: Keyring, witness: FakeWitness, now: dt.datetime
) -> None:
    witnessed_by(company, witness)
    log.append([created(keyring, now), created(keyring, now - dt.timedelta(hours=3))])
    have_cosigned(log, witness)
    assert ask("ledger.intact", log=log, now=now - dt.timedelta(minutes=15)).outcome is CheckOutcome.PASS

    check = ask("ledger.intact", log=log, now=now - dt.timedelta(hours=3))
    assert (check.outcome, check.findings[0].place) == (CheckOutcome.ERROR, "clock")
    assert check.summary == "2 entries verified, but the clock that dates them is wrong."
    assert ask("ledger.intact", log=log).outcome is CheckOutcome.PASS


# --- ledger.witnessed -------------------------------------------------------------------------------------------------


def test_a_rewritten_ledger_is_not_the_one_that_was_cosigned(
    ask: Ask,
    company: dict[str, Any],
    log: FileLog,
    keyring: Keyring,
    witness: FakeWitness,
    now: dt.datetime,
    tmp_path: Path,
) -> None:
    witnessed_by(company, witness)
    log.append([created(keyring, now)] * 5)
    have_cosigned(log, witness)
    log.append([created(keyring, now)] * 5)
    check = ask("ledger.witnessed", log=log)
    assert (check.outcome, check.figures) == (
        CheckOutcome.PASS,
        {"entries": 10, "vouched for": 5, "witnesses": 1, "hours": 0},
    )
    assert (check.evidence.population, check.evidence.tested) == (10, 5)
    assert check.evidence.period == (now - dt.timedelta(days=1), now)

    with FileLog(tmp_path / "rewritten", keyring.signer()) as rewritten:
        rewritten.append([created(keyring, now + dt.timedelta(days=1))] * 10)
        rewritten.keep_cosigned(log.cosigned() or "")
        check = ask("ledger.witnessed", log=rewritten)
    assert check.outcome is CheckOutcome.FAIL
    assert "rolled back or rewritten" in check.findings[0].message


def test_a_witness_that_no_longer_signs_is_noticed_within_a_day(
    ask: Ask, company: dict[str, Any], log: FileLog, keyring: Keyring, witness: FakeWitness, now: dt.datetime
) -> None:
    witnessed_by(company, witness)
    log.append([created(keyring, now)])
    have_cosigned(log, witness)
    assert ask("ledger.witnessed", log=log, now=now + dt.timedelta(hours=23)).outcome is CheckOutcome.PASS
    check = ask("ledger.witnessed", log=log, now=now + dt.timedelta(hours=24))
    assert (check.outcome, check.findings[0].message) == (CheckOutcome.FAIL, "the last cosignature is 24 hours old")


def test_as_many_witnesses_have_to_sign_as_are_declared(
    ask: Ask, company: dict[str, Any], log: FileLog, keyring: Keyring, witness: FakeWitness, now: dt.datetime
) -> None:
    other = FakeWitness("witness.example.org/w2", (log.verifier,), clock=now.timestamp)
    log.append([created(keyring, now)])
    have_cosigned(log, witness)
    witnessed_by(company, witness, other)
    assert ask("ledger.witnessed", log=log).outcome is CheckOutcome.FAIL
    witnessed_by(company, witness, other, quorum=1)
    assert ask("ledger.witnessed", log=log).outcome is CheckOutcome.PASS
    have_cosigned(log, other)
    witnessed_by(company, witness, other)
    assert ask("ledger.witnessed", log=log).outcome is CheckOutcome.PASS


def test_a_ledger_that_nobody_has_seen_is_not_witnessed(
    ask: Ask, company: dict[str, Any], log: FileLog, keyring: Keyring, witness: FakeWitness, now: dt.datetime
) -> None:
    assert ask("ledger.witnessed", log=log).outcome is CheckOutcome.NOT_APPLICABLE
    log.append([created(keyring, now)])
    check = ask("ledger.witnessed", log=log)
    assert (check.outcome, check.findings[0].message) == (CheckOutcome.FAIL, "no witness is declared")
    witnessed_by(company, witness)
    check = ask("ledger.witnessed", log=log)
    assert (check.outcome, check.findings[0].message) == (CheckOutcome.FAIL, "no witness has cosigned yet")


def test_an_empty_ledger_shows_nothing(ask: Ask, log: FileLog) -> None:
    assert ask("ledger.intact", log=log).outcome is CheckOutcome.NOT_APPLICABLE


def test_a_ledger_that_cannot_be_looked_at_is_an_error(ask: Ask) -> None:
    assert ask("ledger.intact").outcome is CheckOutcome.ERROR
    assert ask("ledger.intact", log=object()).summary == "The check failed with an error: AttributeError."


# --- protect.keys_current ---------------------------------------------------------------------------------------------


Look = Callable[..., Check]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    create_home(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def chain(home: Path) -> Keychain:
    chain = Keyring.open(home).chain
    assert chain is not None
    return chain


@pytest.fixture
def look(ask: Ask, company: dict[str, Any], log: FileLog, home: Path, now: dt.datetime) -> Look:
    """Asks about the keys in *home*, the root key of which is as old as that of Example Ltd."""
    keyring = Keyring.open(home)
    log.append([created(Keyring(bytes(32)), now), created(keyring, now)])

    def looked(at: dt.datetime = now, **known: Any) -> Check:
        lasts = Declaration.model_validate(company).cryptoperiods.field_lasts
        keys = partial(take_inventory, home, keyring, now=at, field=lasts, **known)
        return ask("protect.keys_current", log=log, keyring=keyring, keys=keys, now=at)

    return looked


def test_a_key_ages(look: Look, now: dt.datetime) -> None:
    """Before any rotation values are sealed under a key that is derived from the root."""
    assert look().outcome is CheckOutcome.PASS

    check = look(now + dt.timedelta(days=365))
    figures = {"keys": 1, "overdue": 1, "other faults": 0, "approvers": 0, "days of the root key": 365, "active": 1}
    assert (check.outcome, check.figures) == (CheckOutcome.FAIL, figures)
    assert (check.findings[0].place, check.findings[0].fix) == ("field-0", "troth keys rotate field")


def test_keys_below_the_root_age_by_the_declared_period(
    look: Look, company: dict[str, Any], chain: Keychain, now: dt.datetime
) -> None:
    chain.rotate("field", now=now - dt.timedelta(days=100))
    chain.rotate("epoch", now=now - dt.timedelta(hours=24))
    assert look().outcome is CheckOutcome.PASS

    company["cryptoperiods"] = {"field": "90 days"}
    assert [finding.place for finding in look(now + dt.timedelta(hours=1)).findings] == ["field-1", "epoch-1"]

    chain.rotate("epoch", now=now)
    chain.move("epoch-1", KeyState.DESTROYED, now=now)
    company["cryptoperiods"] = {"field": "200 days"}
    assert (look().outcome, look().figures["keys"]) == (CheckOutcome.PASS, 2)


def test_a_root_key_older_than_the_period_leaves_it_open(look: Look, chain: Keychain, now: dt.datetime) -> None:
    """Every key below it is new, and it is never replaced itself."""
    later = now + dt.timedelta(days=365)
    chain.rotate("field", now=later)
    assert look(later - dt.timedelta(minutes=1)).outcome is CheckOutcome.PASS
    check = look(later)
    assert (check.outcome, check.figures["days of the root key"]) == (CheckOutcome.NOT_APPLICABLE, 365)
    assert "The root key is 365 days old, and is never replaced." in check.summary


@pytest.mark.parametrize("name", ["field-0", "field-1"])
def test_values_that_stay_under_a_replaced_key_are_found(
    look: Look, chain: Keychain, home: Path, monkeypatch: pytest.MonkeyPatch, now: dt.datetime, name: str
) -> None:
    """The key file of the home is of today, whenever that is, and field-0 with it."""
    now = max(now, dt.datetime.now(dt.UTC))
    for _ in range(1 + int(name[-1])):
        chain.rotate("field", now=now)
    monkeypatch.setattr("troth.controls.controls._without_approvers", lambda *_: ())
    assert look(now + dt.timedelta(days=29), hanging={name: 3}).outcome is CheckOutcome.PASS, "a month for it"
    assert look(now + dt.timedelta(days=31)).outcome is CheckOutcome.PASS, "nothing is left under it"
    [finding] = look(now + dt.timedelta(days=31), hanging={name: 3}).findings
    assert (finding.place, finding.message.endswith("3 values still need it")) == (name, True)


def test_it_does_not_see_values_of_the_company_under_an_older_key(
    look: Look, chain: Keychain, now: dt.datetime
) -> None:
    chain.rotate("field", now=now)
    assert look(now + dt.timedelta(days=300), hanging={}).outcome is CheckOutcome.PASS


def test_a_compromised_key_that_is_still_there_is_found(look: Look, chain: Keychain, now: dt.datetime) -> None:
    chain.rotate("epoch", now=now)
    assert look().outcome is CheckOutcome.PASS
    chain.move("epoch-1", KeyState.COMPROMISED, now=now)
    [finding] = look().findings
    assert (finding.place, finding.message) == ("epoch-1", "it is compromised, and not destroyed yet")
    chain.move("epoch-1", KeyState.DESTROYED, now=now)
    assert look().outcome is CheckOutcome.PASS


def test_a_key_that_waits_for_two_approvers_who_are_not_there_is_found(
    look: Look, chain: Keychain, home: Path, monkeypatch: pytest.MonkeyPatch, now: dt.datetime
) -> None:
    """On the first day nobody has to approve anything yet."""
    monkeypatch.setattr("troth.protect.hazmat.scrypt._COST", 2**8)
    chain.rotate("field", now=now)
    assert (look().outcome, look().figures["approvers"]) == (CheckOutcome.PASS, 0)
    chain.rotate("field", now=now)
    keyring = Keyring.open(home)
    for words in ("six words for a", "six words for b"):
        [finding] = look().findings
        assert finding.place == "approvers"
        assert finding.message.startswith("two approvers must destroy field-1, and ")
        others = read_approvers(home, keyring)
        role = f"custodian-{words[-1]}"
        write_approvers(home, keyring, plan_approver(keyring, others, role, words, now=now))
    assert (look().outcome, look().figures["approvers"]) == (CheckOutcome.PASS, 2)


@pytest.mark.parametrize("purpose", ["field", "epoch"])
def test_a_key_that_a_wrong_clock_dated_is_found(
    look: Look, chain: Keychain, now: dt.datetime, purpose: Purpose
) -> None:
    chain.rotate(purpose, now=now + dt.timedelta(minutes=4))
    assert look().outcome is CheckOutcome.PASS, "clocks differ"
    chain.rotate(purpose, now=now + dt.timedelta(days=400))
    assert "in the future" in " ".join(finding.message for finding in look().findings)


def test_what_the_registry_knows_otherwise_is_found(look: Look) -> None:
    assert look().outcome is CheckOutcome.PASS
    [finding] = look(unsound=["k1:77 (epoch) is not in keys.toml; restore the newest copy of it"]).findings
    assert (finding.message, finding.fix) == ("k1:77 (epoch) is not in keys.toml", "restore the newest copy of it")


def test_it_does_not_see_a_copy_of_the_keys(look: Look, home: Path, tmp_path: Path) -> None:
    shutil.copytree(home, tmp_path / "stick")
    assert look().outcome is CheckOutcome.PASS


def test_a_key_of_unknown_age_is_an_error(ask: Ask, log: FileLog, keyring: Keyring, now: dt.datetime) -> None:
    log.append([created(Keyring(bytes(32)), now)])
    check = ask("protect.keys_current", log=log, keyring=keyring, keys=lambda: None)
    assert (check.outcome, check.summary.startswith("The ledger does not record")) == (CheckOutcome.ERROR, True)
