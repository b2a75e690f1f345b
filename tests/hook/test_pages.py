"""The pages about systems that are asked say what is so: their code runs, their messages are read."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.hook.servers import served

from troth.declaration import Declaration, check, parse
from troth.hook import Answer, AnswerState, Right
from troth.hook.wire import check_answer, check_ask, dump_answer, dump_ask, keys_of, read_answer, read_ask
from troth.stores.external import http
from troth.testing.external_systems import ANN, SECRET, asking, make_ask

DOCS = Path(__file__).parents[2] / "docs"
PROTOCOL, SERVICE, APPLICATION = (
    (DOCS / page).read_text("utf-8")
    for page in (
        "reference/asked-systems.md",
        "howto/ask-another-service.md",
        "howto/let-the-application-erase.md",
    )
)
HEAD = (
    "troth: 1\norganisation: {name: E, country: GB, address: a, email: privacy@example.org}\n"
    "policy: {file: p.md, effective: 2026-11-01}\n"
    "purposes: {p: {basis: contract, use: essential.service, data: [user]}}\n"
)


def block(page: str, language: str, label: str = "") -> str:
    heading = f"```{language} {label}".rstrip()
    (found,) = re.findall(rf"^{heading}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    return str(found)


def declared(page: str) -> Declaration:
    return parse(HEAD + block(page, "yaml"))


# --- the protocol ----------------------------------------------------------------------------------------------------


def test_the_messages_shown_are_read() -> None:
    ask = read_ask(block(PROTOCOL, "json", "ask").encode())
    assert (ask.right, ask.email, dict(ask.changes)) == (Right.AMEND, ANN, {"name": "Anna"})
    ask_id, answer = read_answer(block(PROTOCOL, "json", "answer").encode())
    assert (ask_id, answer.state, answer.kept[0].what) == ("case-1", AnswerState.DONE, "invoice")


def test_every_key_and_word_of_the_protocol_is_on_the_page() -> None:
    rows = Answer.found({"t": [{"a": 1}]}).rows
    whole = Answer(AnswerState.DONE, rows, {"erased": 1}, (), "sha256:" + "0" * 64, 1, "code")
    keys = {*json.loads(dump_ask(make_ask(Right.AMEND, name="Anna"))), *json.loads(dump_answer("case-1", whole))}
    words = keys | set(map(str, (*Right, *AnswerState))) | {"purposes"}
    assert [word for word in sorted(words) if not re.search(rf'[`"]{word}[`"]', PROTOCOL)] == []


def test_the_vectors_hold() -> None:
    keys = keys_of(re.findall(r"With the secret `(\w+)`", PROTOCOL)[0])
    (header,) = re.findall(r"^Troth-Signature: (.*)$", PROTOCOL, re.MULTILINE)
    asked, answer_header, answered = block(PROTOCOL, "text", "vectors").splitlines()
    mark = check_ask(keys, header, "POST", "/privacy/poll", asked.encode(), now=1_764_039_600)
    check_answer(keys, answer_header, mark, 200, answered.encode(), now=1_764_039_601)

    names: dict[str, Any] = {}
    exec(block(PROTOCOL, "python", "signing"), names)
    lines = ("troth-ask-v1", "POST", "/privacy/poll", "1764039600", "A" * 24)
    assert names["signature"](keys[0].decode(), *lines, body=asked.encode()) == mark.digest


# --- another service -------------------------------------------------------------------------------------------------


def test_the_declared_service_is_sound() -> None:
    assert check(declared(SERVICE)) == []


def test_the_adapter_shown_asks_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    job = SimpleNamespace(is_finished=False, deleted=2)
    desk = SimpleNamespace(
        tickets=lambda requester: [{"subject": "Hello"}] if requester == ANN else [],
        delete_user=lambda email: 7,
        job=lambda number: job,
    )
    names: dict[str, Any] = {"__name__": "adapter", "desk": desk, "jobs": {}, "secret": SECRET}
    exec(compile(block(SERVICE, "python", "adapter"), "adapter", "exec", dont_inherit=True), names)
    with served(names["serve"]) as url:
        asked = http.connect("desk", url, asking(answers=("view", "erase")), SECRET)
        erase = make_ask(Right.ERASE)
        assert len(asked.ask(make_ask(Right.VIEW)).rows["ticket"]) == 1
        assert asked.ask(erase) == asked.poll(erase.id) == Answer.later(3600)
        job.is_finished = True
        assert asked.poll(erase.id).counts == {"erased": 2}
        assert asked.verify(erase).detail == "still_there"
        asked.close()


@pytest.mark.parametrize("told", re.findall(r"^\| `(.+?)` \|", SERVICE, re.MULTILINE))
def test_the_trouble_shown_is_the_trouble_told(told: str) -> None:
    code = Path(http.__file__)
    source = code.read_text("utf-8") + code.with_name("refusals.toml").read_text("utf-8")
    assert told.replace("(ConnectError)", "({failed})") in source


# --- the application -------------------------------------------------------------------------------------------------


def test_the_declared_application_is_sound() -> None:
    assert check(declared(APPLICATION)) == []


def test_the_functions_shown_answer_behind_wsgi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "shop", "delete_customer": lambda email: 3, "secret": SECRET}
    exec(compile(block(APPLICATION, "python", "wsgi"), "shop", "exec", dont_inherit=True), names)
    with served(names["serve"]) as url:
        asked = http.connect("shop", url, asking(), SECRET)
        assert asked.ask(make_ask(Right.ERASE)).counts == {"erased": 3}
        asked.close()


_MODELS = """
from django.db import models

class Customer(models.Model):
    email = models.EmailField()
    name = models.CharField(max_length=50)
    restricted = models.BooleanField(default=False)
    class Meta:
        app_label = "shop"

class Invoice(models.Model):
    number = models.IntegerField()
    email = models.EmailField()
    class Meta:
        app_label = "shop"
"""
_PROGRAM = """
import django
django.setup()
from django.core.management import call_command
call_command("check")
call_command("migrate", run_syncdb=True, verbosity=0)
call_command("troth_hook")
from django.test import Client
from shop.models import Customer, Invoice
from troth.testing.external_systems import make_ask as made
from troth.hook import Right
make_ask = lambda right, **changes: made(Right(right), **changes)
from troth.hook.wire import *
import time

def told(action, ask):
    path, body = f"/troth/{action}", dump_ask(ask)
    mark = str(sign_ask(keys_of("s" * 40), "POST", path, body, now=time.time()))
    reply = Client().post(path, body, content_type="application/json", headers={"Troth-Signature": mark})
    return read_answer(reply.content)[1]

Customer.objects.create(email="Ann@example.org", name="Ann")
Invoice.objects.create(email="ann@example.org", number=7)
print(sorted(told("ask", make_ask("view")).rows))
print(told("ask", make_ask("amend", name="Anna")), told("verify", make_ask("amend", name="Anna")))
print(told("ask", make_ask("amend", shoe="42")))
print(told("verify", make_ask("restrict")), told("verify", make_ask("unrestrict")))
erase = make_ask("erase")
print(told("ask", erase), told("verify", erase), Customer.objects.count(), Invoice.objects.count())
"""


def test_the_django_application_shown_answers(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "__init__.py").touch()
    (shop / "models.py").write_text(_MODELS)
    (shop / "privacy.py").write_text(block(APPLICATION, "python", "privacy") + block(APPLICATION, "python", "verifies"))
    (shop / "settings.py").write_text(
        'import os\nSECRET_KEY = "of a test"\nALLOWED_HOSTS = ["testserver"]\nROOT_URLCONF = "shop.urls"\n'
        'INSTALLED_APPS = ["shop"]\nDEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"\n'
        f'DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "{tmp_path}/shop.sqlite3"}}}}\n'
        + block(APPLICATION, "python", "settings")
    )
    (shop / "urls.py").write_text(
        "from django.urls import include, path\nurlpatterns = []\n" + block(APPLICATION, "python", "urls")
    )
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        cwd=tmp_path,
        env={
            "DJANGO_SETTINGS_MODULE": "shop.settings",
            "TROTH_HOOK_SECRET": "s" * 40,
            "PYTHONPATH": f"{tmp_path}:{DOCS.parent}",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    _, *lines = done.stdout.splitlines()
    assert "erase      shop.privacy.erase" in lines
    assert lines[-5:] == [
        "['customer', 'invoice']",
        "Answer(done, 1 amended) Answer(done)",
        "Answer(refused, unknown_field)",
        "Answer(failed, not_restricted) Answer(done, 1 looked)",
        "Answer(done, 1 erased, 1 kept) Answer(done, 1 kept) 0 1",
    ]
