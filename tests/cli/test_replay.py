"""``troth replay``: a backup brings erased people back, and they are erased once more, in the restored system alone."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.firm import Answer, Firm
from tests.docs.consoles import differences, typed

from troth.ledger import DeclaredName, Entry

BEFORE = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(minutes=1)
"""Before anything of these tests is done."""


def copy(firm: Firm, *systems: str) -> Path:
    """Back *systems* up."""
    folder = firm.folder / "backup"
    folder.mkdir(exist_ok=True)
    for system in systems:
        shutil.copy(firm.folder / f"{system}.sqlite", folder)
    return folder


def restore(firm: Firm, *systems: str) -> None:
    for system in systems:
        shutil.copy(firm.folder / "backup" / f"{system}.sqlite", firm.folder)


def erase(firm: Firm, *who: str) -> None:
    shown = firm.troth("erase", *who, "--json")
    assert firm.troth("erase", *who, "--apply", shown.document["plan"]).code == 0


def replay(firm: Firm, *options: str, system: str = "shop", since: dt.datetime = BEFORE) -> Answer:
    return firm.troth("replay", "--system", system, "--restored-from", f"{since:%Y-%m-%dT%H:%M:%S.%fZ}", *options)


def apply(firm: Firm) -> Answer:
    """Replay the shop: look, and carry out what was shown."""
    return replay(firm, "--apply", replay(firm, "--json").document["plan"]["plan"])


@pytest.fixture(autouse=True)
def long_since(firm: Firm) -> None:
    """Troth's records begin long before the backup."""
    entry = Entry("demo.fault_planted", BEFORE - dt.timedelta(days=10), {"fault": DeclaredName("none")})
    with closing(sqlite3.connect(firm.home / "troth.sqlite3")) as own, own:
        own.execute("INSERT INTO core_entry (content) VALUES (?)", [entry.encoded])


@pytest.fixture
def back(firm: Firm) -> Firm:
    """Ann is erased, and the shop and the desk are restored from a backup of before."""
    copy(firm, "shop", "desk")
    erase(firm, "--email", "ann@example.org")
    restore(firm, "shop", "desk")
    return firm


def test_the_plan_counts_and_names_nobody(back: Firm) -> None:
    before = back.everything()
    shown = replay(back)
    assert "shop.customer.email: 1 row" in shown.out
    assert re.search(r"--apply dg1:[0-9a-f]{64}", shown.out)
    assert not re.search("ann|Ann|07700", shown.out + shown.err)
    assert back.everything() == before


def test_who_was_erased_since_is_erased_again_and_it_is_on_record(back: Firm) -> None:
    hash_ = replay(back, "--json").document["plan"]["plan"]
    done = replay(back, "--apply", hash_, "--json")
    assert [row[1] for row in back.rows("customer")] == ["ben@example.org", "chloe@example.org"]
    [outcome] = done.document["outcomes"]
    assert (outcome["found"], outcome["erased"], outcome["left"]) == ({"shop": 1}, {"shop": 1}, {"shop": 0})
    [entry] = back.entries("erasure.replayed")
    assert (entry["system"], entry["found"], entry["erased"], entry["left"]) == ("shop", 1, 1, 0)
    assert entry["restored_from"] == f"{BEFORE:%Y-%m-%d}"


def test_only_the_restored_system_is_touched(back: Firm) -> None:
    desk = back.rows("message")
    apply(back)
    assert back.rows("message") == desk


def test_systems_that_were_restored_together_are_replayed_together(back: Firm) -> None:
    both = ("--system", "desk")
    hash_ = replay(back, *both, "--json").document["plan"]["plan"]
    assert replay(back, *both, "--apply", hash_).code == 0
    assert [row[1:3] for row in back.rows("message")] == [(None, "ben@example.org"), (2, "ben@example.org")]
    assert {entry["system"] for entry in back.entries("erasure.replayed")} == {"shop", "desk"}


def test_a_store_in_which_nobody_is_back_is_put_on_record_as_that(firm: Firm) -> None:
    erase(firm, "--email", "ann@example.org")
    done = replay(firm)
    assert "0 erased identifiers back" in done.out
    [entry] = firm.entries("erasure.replayed")
    assert (entry["found"], entry["left"]) == (0, 0)


def test_who_was_erased_before_the_backup_is_not_its_doing(back: Firm) -> None:
    before = back.everything()
    shown = replay(back, since=dt.datetime.now(dt.UTC))
    assert "1 identifier had been erased before the backup" in shown.err
    assert back.everything() == before


def test_one_erased_again_later_counts_from_then(back: Firm) -> None:
    since = dt.datetime.now(dt.UTC).replace(microsecond=0)
    erase(back, "--email", "ann@example.org")
    restore(back, "shop", "desk")
    assert replay(back, "--json", since=since).document["found"] == {"shop": 1}


def test_who_came_back_of_their_own_accord_stays(back: Firm) -> None:
    """A new account of hers may stand beside what the backup holds of her: which is which is for a person to see."""
    back.change("shop", "INSERT INTO customer VALUES (99, 'Ann@example.org', 'Ann', NULL)")
    assert back.troth("acknowledge-return", "--id", "shop.customer=99", "--reason", "signed_up_again").code == 0
    before = back.everything()
    shown = replay(back, "--json")
    assert (shown.code, shown.document["found"], shown.document["plan"]) == (1, {}, None)
    assert shown.document["returned"] == {"shop.customer.email": 2}
    assert back.everything() == before
    restore(back, "shop")  # once more: the account is lost, and what is there is what was erased
    assert "1 row of people who came back after their erasure" in replay(back).err
    erase(back, "--id", "shop.customer=1")
    assert [row[0] for row in back.rows("customer")] == [2, 3]


def test_a_legal_hold_is_heeded(back: Firm) -> None:
    with closing(sqlite3.connect(back.home / "troth.sqlite3")) as own, own:
        own.execute(
            "INSERT INTO core_legal_hold (matter, citation, subject, scope, placed_at, review_at, is_provisional) "
            "VALUES ('D-1', 'CPR 31', '', 'shop', '2026-01-01', '2030-01-01', 0)"
        )
    shown = replay(back)
    assert "a legal hold applies (D-1)" in shown.out
    assert apply(back).code == 1
    assert back.rows("customer")[0][1] == "ann@example.org"
    [entry] = back.entries("erasure.replayed")
    assert (entry["erased"], entry["left"]) == (0, 1)


def test_what_a_period_keeps_stays_again(back: Firm) -> None:
    apply(back)
    assert back.rows("invoice")[0] == (11, None, "1 Example Street", "2025-01-31")


def test_two_people_behind_one_identifier_are_left_to_a_person_and_the_others_are_not(firm: Firm) -> None:
    firm.change("shop", "INSERT INTO customer VALUES (4, 'dan@example.org', 'Dan', null)")
    copy(firm, "shop")
    erase(firm, "--email", "ann@example.org")
    erase(firm, "--email", "dan@example.org")
    restore(firm, "shop")
    firm.change("shop", "INSERT INTO customer VALUES (5, 'DAN@example.org', 'Dan again', null)")
    done = apply(firm)
    assert "review needed: shop.customer: the identity matches 2 people" in done.err
    assert [row[0] for row in firm.rows("customer")] == [2, 3, 4, 5]
    [entry] = firm.entries("erasure.replayed")
    assert (done.code, entry["erased"], entry["left"], entry["review"]) == (1, 1, 1, 1)


def test_rows_whose_person_is_gone_are_shown(firm: Firm) -> None:
    firm.change("desk", "INSERT INTO message VALUES (104, 1, null, 'anonymous')")
    copy(firm, "desk")
    erase(firm, "--email", "ann@example.org")
    restore(firm, "desk")
    shown = replay(firm, system="desk")
    assert "desk.message.customer_id: 3 rows of people whose own row is gone" in shown.err
    assert shown.code == 1


def test_another_plan_than_the_one_that_was_seen_is_refused(back: Firm) -> None:
    refused = replay(back, "--apply", "dg1:" + "0" * 64)
    assert refused.code == 1
    assert back.rows("customer")[0][1] == "ann@example.org"
    assert back.entries("erasure.replayed") == []


@pytest.mark.parametrize("moment", ["yesterday", "2026-11-20", "2026-11-20T03:00", "2999-01-01T00:00Z"])
def test_a_moment_has_a_zone_and_is_past(firm: Firm, moment: str) -> None:
    assert firm.troth("replay", "--system", "shop", "--restored-from", moment).code == 2


def test_a_system_that_is_not_declared_is_told(firm: Firm) -> None:
    refused = replay(firm, system="shpo")
    assert (refused.code, "shpo is not a declared system; these are: shop, desk" in refused.err) == (2, True)


# --- what our own records cannot know --------------------------------------------------------------------------------


def test_records_that_begin_after_the_backup_say_so(back: Firm) -> None:
    shown = replay(back, since=BEFORE - dt.timedelta(days=30))
    assert "after the backup was made; see docs/howto/restore-a-backup.md" in shown.err
    assert shown.code == 1


def test_a_day_without_a_check_is_told(back: Firm) -> None:
    moments = [BEFORE - dt.timedelta(days=days) for days in (9, 8.5, 5, 4.5, 4, 3.5, 3, 2.5, 2, 1.5, 1, 0.5)]
    with closing(sqlite3.connect(back.home / "troth.sqlite3")) as own, own:
        own.executemany(
            "INSERT INTO core_check (control, control_version, outcome, summary, at, valid_until, declaration_hash,"
            " evidence, figures, findings, collector) VALUES ('x.y', 1, 'pass', '', ?, ?, '', '{}', '{}', '[]', '')",
            [(f"{at:%Y-%m-%d %H:%M:%S}", f"{at:%Y-%m-%d %H:%M:%S}") for at in moments],
        )
    unknown = replay(back, "--json", since=moments[0]).document["unknown"]
    [gap] = [why for why in unknown if "no check on record" in why]
    assert f"from {moments[1]:%Y-%m-%d %H:%M} to {moments[2]:%Y-%m-%d %H:%M} UTC" in gap


def test_an_export_of_the_ledger_stands_in_for_lost_tombstones(back: Firm) -> None:
    assert back.troth("ledger", "export", str(back.folder / "auditor")).code == 0
    with closing(sqlite3.connect(back.home / "troth.sqlite3")) as own, own:
        own.execute("DELETE FROM core_tombstone")
    assert replay(back, "--json").document["found"] == {}
    with_it = ("--ledger", str(back.folder / "auditor"))
    shown = replay(back, *with_it, "--json")
    assert shown.document["found"] == {"shop": 1}
    done = replay(back, *with_it, "--apply", shown.document["plan"]["plan"], "--json")
    assert done.document["outcomes"][0]["left"] == {"shop": 0}
    assert [row[1] for row in back.rows("customer")] == ["ben@example.org", "chloe@example.org"]


def test_an_export_tells_of_those_who_came_back_too(back: Firm) -> None:
    assert back.troth("acknowledge-return", "--id", "shop.customer=1", "--reason", "signed_up_again").code == 0
    assert back.troth("ledger", "export", str(back.folder / "auditor")).code == 0
    with closing(sqlite3.connect(back.home / "troth.sqlite3")) as own, own:
        own.execute("DELETE FROM core_tombstone")
    shown = replay(back, "--ledger", str(back.folder / "auditor"), "--json").document
    assert (shown["found"], shown["plan"], shown["returned"]) == ({}, None, {"shop.customer.email": 1})


def test_an_export_that_was_changed_is_refused(back: Firm) -> None:
    auditor = back.folder / "auditor"
    assert back.troth("ledger", "export", str(auditor)).code == 0
    [entries] = [file for file in auditor.rglob("*") if file.is_file() and "entries" in str(file)]
    entries.write_bytes(entries.read_bytes().replace(b"delete", b"delets"))
    assert replay(back, "--ledger", str(auditor)).code == 1


# --- the how-to ------------------------------------------------------------------------------------------------------

PAGE = Path(__file__).parents[2] / "docs/howto/restore-a-backup.md"


def test_a_restore_goes_as_the_page_tells_it(back: Firm) -> None:
    plan, moment = "", f"{BEFORE:%Y-%m-%d %H:%M} UTC"
    for command, shown in typed(PAGE.read_text("utf-8")):
        words = command.replace("2026-11-20T03:00Z", f"{BEFORE:%Y-%m-%dT%H:%M:%SZ}").split()[1:]
        done = back.troth(*(plan if word.startswith("dg1:") else word for word in words))
        shown = [line.replace("2026-11-20 03:00 UTC", moment) for line in shown]
        assert differences(shown, done.out) == [], done.out + done.err
        plan = next(iter(re.findall(r"dg1:[0-9a-f]{64}", done.out)), plan)
