"""``troth rehearse`` on the shop of the tutorial."""

import base64
import hashlib
import json
import os
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Ask
from tests.rehearsal.test_score import NOTICES, STATED

from troth.rehearsal import NotPlanted, Rehearsal, Unplanted
from troth.service.assurance.rehearsal import run

SHOP = Path(__file__).parents[2] / "examples" / "shop"
PROMISES = """
  - quote: We do not ask for your date of birth.
    owner: privacy@example.org
    controls: [stores.schema_declared]
  - quote: We share your data with no one else.
    owner: privacy@example.org
    attest: {by: ben@example.org, says: Nobody gets it., on: 2026-11-02, until: 2027-02-02}
"""
MORE = """
  - quote: We sell clothes.
    owner: privacy@example.org
  - quote: Every connection is encrypted.
    owner: privacy@example.org
    controls: [site.transport_encrypted]
ledger:
  witnesses: [{url: "https://127.0.0.1:%(port)s/", key: %(key)s}]
faults:
  other: {breach: Other., breaks: [retention.nothing_overdue], sql: {system: shop, run: DELETE FROM login LIMIT NOW}}
  none: {breach: None., breaks: [retention.nothing_overdue], sql: {system: shop, run: DELETE FROM login WHERE 0}}
  file: {breach: File., breaks: [retention.nothing_overdue], sql: {system: shop, run: ATTACH '%(folder)s/new' AS new}}
  copy: {breach: Copy., breaks: [retention.nothing_overdue], sql: {system: shop, run: VACUUM INTO '%(folder)s/new'}}
  page: {breach: Page., breaks: [retention.nothing_overdue], page: {path: /nowhere/, put: x}}
  old: {breach: Old., breaks: [retention.nothing_overdue], sql: {system: shop, run: UPDATE login SET at = '2020-01-01'}}
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(SHOP, tmp_path, dirs_exist_ok=True)
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as made:
        made.executescript((tmp_path / "shop.sql").read_text())
    monkeypatch.setenv("SHOP_DATABASE_URL", f"sqlite:///{tmp_path}/shop.sqlite")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@contextmanager
def outsider() -> Iterator[tuple[int, list[Any]]]:
    """The port of a program of other people's, and who connects to it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        came: list[Any] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    came.append(listening.accept()[1])

        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1], came
        listening.shutdown(socket.SHUT_RDWR)


def test_the_shop_is_rehearsed_and_nothing_outside_is_touched(ask: Ask, shop: Path) -> None:
    declaration, key = shop / "troth.yaml", b"\x04" + bytes(32)
    name = hashlib.sha256(b"outsider\n" + key).hexdigest()[:8]
    with outsider() as (port, came):
        given = {"port": port, "key": f"outsider+{name}+{base64.b64encode(key).decode()}", "folder": shop}
        text = declaration.read_text().replace("country: GB", f"country: GB, site: 'https://127.0.0.1:{port}'")
        declaration.write_text(text + PROMISES + MORE % given)
        before = (shop / "shop.sqlite").read_bytes()
        done = ask("rehearse", "-d", "troth.yaml", "--json", "--html", "page.html", "--at-least", "1")
    assert came == []
    told = json.loads(done.out)
    by = {it["quote"]: it for it in told["promises"]}
    logins = by["We delete logins after ninety days."]
    assert logins["verdict"] == "partly"
    assert by["We share your data with no one else."]["verdict"] == "stated"
    assert by["We sell clothes."]["verdict"] == "unbound"
    assert {it["status"] for it in logins["planted"]} == {"broken"}
    assert {"A deletion job misses a row.", "Old."} <= {it["text"] for it in logins["planted"]}
    assert {it["text"] for it in logins["unplanted"]} == {"Other.", "None.", "File.", "Copy.", "Page."}
    assert done.code == (0 if told["score"] == 1 else 1)
    assert (shop / "shop.sqlite").read_bytes() == before
    assert "We delete logins" in (shop / "page.html").read_text()
    assert sorted(it.name for it in shop.iterdir()) == sorted(
        [*(it.name for it in SHOP.iterdir()), "page.html", "shop.sqlite"]
    )


def test_a_share_above_one_is_refused(ask: Ask, shop: Path) -> None:
    assert ask("rehearse", "--at-least", "2").code == 2


# --- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.fixture
def outcome(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the next rehearsal returns, or raises."""
    returned: list[Any] = []

    def rehearsed(*_: object, **__: object) -> Any:
        if isinstance(returned[0], Exception):
            raise returned[0]
        return returned[0]

    monkeypatch.setattr(run, "rehearse", rehearsed)
    return returned


def test_an_error_of_troth_is_shown_after_the_result(ask: Ask, shop: Path, outcome: list[Any]) -> None:
    failed = Unplanted("A clock stops.", "core.clock", "KeyError: 1", is_error=True)
    outcome.append(Rehearsal((NOTICES, replace(NOTICES, unplanted=(failed,))), "h"))
    done = ask("rehearse")
    assert "2 promises: 1 would notice, 1 would in part, 0 would stay green" in done.out
    assert done.code == 2
    assert "A clock stops. (core.clock): KeyError: 1" in done.err


def test_a_rehearsal_in_which_nothing_is_planted_is_no_success(ask: Ask, shop: Path, outcome: list[Any]) -> None:
    outcome.append(Rehearsal((STATED,), "h"))
    assert ask("rehearse", "--at-least", "0").code == 1


def test_a_page_is_asked_for_where_it_can_be_written(ask: Ask, shop: Path, outcome: list[Any]) -> None:
    outcome.append(Rehearsal((NOTICES,), "h"))
    done = ask("rehearse", "--html", "missing/page.html")
    assert (done.code, done.out) == (2, "")
    assert "there is no folder missing" in done.err
    (shop / "page.html").mkdir()
    done = ask("rehearse", "--html", "page.html")
    assert done.code == 2


def test_what_is_known_to_go_unseen_is_named(ask: Ask, shop: Path, outcome: list[Any]) -> None:
    known = NotPlanted("A banner lies over it.", "site.policy_conspicuous", "what covers it is not seen")
    outcome.append(Rehearsal((replace(NOTICES, not_planted=(known,)),), "h"))
    assert "known to go unseen: A banner lies over it. (site.policy_conspicuous)" in ask("rehearse").out


def test_what_the_process_cannot_write_is_named(ask: Ask, shop: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))  # what is larger cannot be written
    try:
        done = ask("rehearse")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert done.code == 2
    assert "the rehearsal failed: OperationalError: disk I/O error" in done.err


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_the_process_and_its_folder_go_with_the_command(shop: Path, tmp_path: Path, ending: int) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    command = [sys.executable, "-c", "from troth.cli import main; main()", "rehearse"]
    begun = subprocess.Popen(command, env=os.environ | {"TMPDIR": str(folder)}, stdout=subprocess.DEVNULL)
    assert eventually(lambda: [*folder.glob("*/company/world/home")])
    begun.send_signal(ending)
    begun.wait()
    assert eventually(lambda: not [*folder.iterdir()])
    assert eventually(lambda: not processes_in(folder))


def eventually(holds: Callable[[], object]) -> bool:
    until = time.monotonic() + 60
    while not holds() and time.monotonic() < until:
        time.sleep(0.1)
    return bool(holds())


def processes_in(folder: Path) -> list[str]:
    """The processes that work in *folder*, also where it is gone."""
    here = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            here.append(os.readlink(process / "cwd"))
    return [it for it in here if it.startswith(str(folder))]
