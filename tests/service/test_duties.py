"""A duty is one folder and one line, and whatever it needs is registered."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import subprocess
import sys
import tomllib
from importlib import import_module, resources
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.urls import reverse
from django.utils.translation.trans_real import translation
from tests.tables import each_row

from troth.controls import CONTROL_INPUTS, answered, catalogue
from troth.ledger import KINDS
from troth.service.assurance.control_inputs import register_answers
from troth.service.core.jobs.registry import kinds
from troth.service.core.own_tables import OWN, own
from troth.service.duty import DUTIES, Duty, duties, gathered, import_all, listed, resolve
from troth.service.mail.rules import _engine
from troth.service.staff.rights import StaffRight

TESTS = Path(__file__).parents[1]
SOURCE = TESTS.parent / "src"
_LANGUAGES = ("de", "fr", "es")


def _run(*command: str, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TROTH_", "DJANGO_"))}
    path = os.pathsep.join((str(SOURCE), str(TESTS / "toy")))
    done = subprocess.run(
        [sys.executable, *command],
        env={**clean, "PYTHONPATH": path, **environment},
        cwd=TESTS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_duty_of_one_folder_and_one_line_works_from_its_api_to_its_evidence(tmp_path: Path) -> None:
    told = json.loads(_run("toy/story.py", str(tmp_path)))
    assert told == {
        "status before": "kept",
        "api": [201, {"mark": "n0"}],
        "webhook": 1,
        "queued": 1,
        "event": [True, True],
        "status with one unsent": "broken",
        "letters": [True],
        "sent": 1,
        "link": {
            "fetched": [True, 0, True],
            "closed": 403,
            "forged": 403,
            "pressed": [302, "/notes/seen", True],
            "inside": True,
            "of a case": 403,
            "cases": 0,
        },
        "status after": "kept",
        "passes": True,
        "entries": ["A note was left"],
        "sealed": [False, True],
        "hanging": 1,
        "table": True,
        "input": "notes that were not sent: int",
        "started": True,
        "path": True,
        "page": True,
        "console": 302,
        "centre": True,
        "role": True,
        "links": ["Notes"],
        "console figures": [["Notes", 1, "/notes/console"]],
        "inbox": [1, 2],
        "figures": True,
        "evidence": ["2 notes", 2],
    }
    here = {"TROTH_HOME": str(tmp_path / "home"), "TROTH_DECLARATION": str(tmp_path / "troth.yaml")}
    assert _run("toy/troth_with_notes.py", "notes", **here) == "2 notes\n"
    assert "Count the notes." in _run("toy/troth_with_notes.py", "--help")
    assert "notes.see" in _run("toy/troth_with_notes.py", "staff", "grant", "--help")


@each_row("app", DUTIES)
def test_every_kind_of_link_is_named_after_its_app(app: str) -> None:
    """But for those of cases, whose names are older than their app."""
    name = app.rpartition(".")[2]
    assert {kind.app for kind in duties()[app].links} <= {"requests" if name == "cases" else name}


# --- nothing is forgotten in silence ----------------------------------------------------------------------------------


@each_row("app", DUTIES)
def test_every_table_of_a_duty_is_declared_by_that_duty(app: str) -> None:
    import yaml

    duty = duties()[app]
    models = {model._meta.db_table for model in apps.get_models() if model.__module__.startswith(f"{app}.")}
    text = resources.files(app).joinpath(duty.tables).read_text() if duty.tables else "tables: {}"
    assert models <= yaml.safe_load(text)["tables"].keys()
    assert models <= own().systems[OWN].tables.keys()


@each_row("app", DUTIES)
def test_every_control_of_a_duty_has_one_function_there_and_every_function_is_described(app: str) -> None:
    duty = duties()[app]
    described = set()
    if duty.controls:
        described = set(tomllib.loads(resources.files(app).joinpath("controls.toml").read_text()))
        import_module(duty.controls)
    written = {id_ for file in Path(*resources.files(app).parts).rglob("*.py") for id_ in _answers(file)}  # type: ignore[attr-defined]
    assert written == described
    assert described <= answered()


def _answers(file: Path) -> list[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    decorators = [it for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for it in node.decorator_list]
    return [
        str(call.args[0].value)
        for call in decorators
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "answers"
        and isinstance(call.args[0], ast.Constant)
    ]


@each_row("app", DUTIES)
def test_every_job_of_a_duty_is_in_a_module_that_it_lists(app: str) -> None:
    import_all("jobs")
    mine = {kind.origin.__module__ for kind in kinds().values()}
    assert {name for name in mine if name.startswith(f"{app}.")} <= set(duties()[app].jobs)


def test_every_event_concerns_controls_that_there_are() -> None:
    register_answers()
    assert {id_ for duty in duties().values() for ids in duty.after.values() for id_ in ids} <= catalogue().keys()


def test_every_name_that_a_duty_gives_leads_to_something() -> None:
    single = ("api", "before_checks", "unbound", "evidence_files", "sealed", "metrics", "console_figures")
    for duty in duties().values():
        for name in filter(None, (getattr(duty, what) for what in single)):
            assert resolve(name) is not None
    for taker in listed("inbox"):
        assert callable(resolve(taker.take))
    for kind in listed("links"):
        assert resolve(kind.opens).is_confirmed, "to fetch a link must change nothing"
        assert not kind.resend or callable(resolve(kind.resend))
    for given in gathered("inputs").values():
        assert callable(resolve(given.supply))
    assert gathered("inputs").keys() <= CONTROL_INPUTS.keys()
    for _, module in listed("urls"):
        assert importlib.util.find_spec(module) is not None
    assert gathered("entries").keys() <= KINDS.keys()


def test_figures_for_monitoring_cost_nothing_until_they_are_read(tmp_path: Path) -> None:
    script = """
import sys
import django
django.setup()
import troth.service.urls
from troth.service.duty import import_all
import_all("jobs")
print("prometheus_client" in sys.modules)
"""
    told = _run("-c", script, DJANGO_SETTINGS_MODULE="troth.service.settings", TROTH_HOME=str(tmp_path))
    assert told == "False\n"


def test_every_message_has_its_template() -> None:
    for kind in gathered("messages"):
        assert _engine(autoescape=False).get_template(f"mail/{kind}.txt")


def test_every_link_leads_to_a_page() -> None:
    for page in (*listed("console"), *listed("centre")):
        assert reverse(page.name)


@each_row("language", _LANGUAGES)
def test_every_title_is_translated(language: str) -> None:
    titles = [*gathered("entry_titles").values(), *gathered("webhooks").values()]
    titles += [text for page in (*listed("console"), *listed("centre")) for text in (page.title, page.about) if text]
    titles += [page.group for page in listed("console") if page.group]
    titles += [one.label for one in (*listed("rights"), *listed("scopes"))]
    known = translation(language)._catalog  # type: ignore[attr-defined]
    assert [title for title in titles if title not in known] == []


_LIBRARY = """
from troth.ledger import KINDS
from troth.controls import catalogue
assert "case.closed" in KINDS and "requests.answered_in_time" in catalogue()
"""
_BROKEN = """
from troth import registration
registration.before_first_use("entries", lambda: 1 / 0)
from troth.ledger import KINDS
for _ in range(2):
    try:
        len(KINDS)
    except ZeroDivisionError:
        print("refused")
"""
_THREADS = """
import threading
import troth.service
from troth.ledger import KINDS
barrier, sizes = threading.Barrier(8), []
def look():
    barrier.wait()
    sizes.append(len(KINDS))
threads = [threading.Thread(target=look) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(len(set(sizes)), len(sizes))
"""


def test_a_program_that_imports_the_library_alone_knows_what_is_installed() -> None:
    _run("-c", _LIBRARY)


def test_what_cannot_be_registered_is_said_each_time() -> None:
    assert _run("-c", _BROKEN).split() == ["refused", "refused"]


def test_threads_see_a_registry_whole() -> None:
    assert _run("-c", _THREADS).split() == ["1", "8"]


def test_a_name_is_registered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = {"one": Duty(webhooks={"a.b": "A"}), "other": Duty(webhooks={"a.b": "B"})}
    monkeypatch.setattr("troth.service.duty.duties", lambda: twice)
    gathered.cache_clear()
    with pytest.raises(ValueError, match=r"other registers webhooks that another duty has registered: a\.b"):
        gathered("webhooks")
    gathered.cache_clear()
    monkeypatch.setattr(
        "troth.service.duty.duties",
        lambda: {name: Duty(rights=(StaffRight("a.b", name),)) for name in ("one", "other")},
    )
    listed.cache_clear()
    with pytest.raises(ValueError, match=r"the same rights are registered twice: a\.b"):
        listed("rights")
    listed.cache_clear()


def test_the_lower_packages_name_no_app_of_the_service() -> None:
    """But for the words of promises: which controls fit which sentence (`policy.bind`)."""
    lower = [
        path for path in (SOURCE / "troth").iterdir() if path.name not in {"service", "cli", "testing", "client.py"}
    ]
    named: list[Any] = []
    for path in lower:
        for file in [path] if path.suffix == ".py" else path.rglob("*.py"):
            named += [str(file) for line in file.read_text(encoding="utf-8").splitlines() if "troth.service" in line]
    assert named == []


def test_leases_and_retries_are_in_the_job_system_alone() -> None:
    words = ("lease", "beats", "heartbeat", "retry", "retries", "attempts")
    found = {
        f"{model._meta.db_table}.{column.name}"
        for model in apps.get_models()
        for column in model._meta.concrete_fields
        if model.__module__.startswith("troth.") and any(word in column.name.split("_") for word in words)
    }
    assert found == {"core_job.attempts", "core_worker.beats", "core_worker.lease_until"}
