"""The guide to the API, followed word by word by a program that asks a service over HTTP, with the client and curl."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import os
import re
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connections
from tests.rig.jobs import run_due
from tests.service.api.test_webhooks import Receiver, receiver  # noqa: F401 - the fixture
from tests.service.requests.conftest import Office

from troth.client import ApiRefused, ApiUnreachable, MessageRefused, Troth, verified_message
from troth.service.api import tokens, webhooks
from troth.service.api.scopes import scopes
from troth.service.cases.models import Case

GUIDE = (Path(__file__).parents[3] / "docs/howto/use-the-api.md").read_text("utf-8")
ASK, FOLLOW, TOLD, GUARD, _NEWSLETTERS, REFUSED = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
[CURL] = re.findall(r"^```sh\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def url(office: Office) -> Iterator[str]:
    application = get_wsgi_application()

    def answered(environ: dict[str, Any], start: Any) -> list[bytes]:
        with contextlib.closing(application(environ, start)) as response:
            body = b"".join(response)
        connections.close_all()
        return [body]

    with make_server("127.0.0.1", 0, answered, handler_class=_Quiet) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


@pytest.fixture
def token(office: Office) -> str:
    return tokens.make("shop", scopes(), until=office.now() + dt.timedelta(days=30), now=office.now())


@dataclass
class Program:
    """Runs parts of the guide, one after the other, in the same names."""

    url: str
    names: dict[str, Any] = field(default_factory=dict)

    def __call__(self, part: str) -> str:
        """What the part printed."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(part.replace("https://privacy.example.org", self.url), self.names)
        return said.getvalue()


@pytest.fixture
def program(url: str, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    monkeypatch.setenv("TROTH_TOKEN", token)
    monkeypatch.chdir(tmp_path)
    return Program(url)


def test_a_program_asks_follows_and_fetches(office: Office, program: Program, tmp_path: Path) -> None:
    reference, state, _ = program(ASK).split()
    assert state == "in_progress"
    assert program(ASK).split()[0] == reference, "the same key opens no second case"
    assert Case.objects.count() == 1
    program(ASK.replace('"erase"', '"view"').replace("ben@", "ann@").replace("4712", "4711"))
    program.names["case"] = {"reference": reference}
    office.work()
    assert program(FOLLOW).startswith("fulfilled [{")
    [package] = tmp_path.glob("R-*.zip")
    assert "index.html" in zipfile.ZipFile(package).namelist()


def test_what_is_wrong_is_named_by_field_and_without_the_value(program: Program) -> None:
    program(ASK)
    assert program(REFUSED) == "422 ['0.changes']\n"


def test_what_may_not_be_used_or_sent_is_said_before(office: Office, program: Program) -> None:
    program(ASK)
    program(GUARD)  # Ann has not objected, and the post is a declared recipient
    with pytest.raises(ApiRefused):
        program(GUARD.replace('"post"', '"nobody"'))
    office.answered("restrict")
    program(GUARD.replace('"post"', '"nobody"'))  # Ann's data is not used, so nothing is handed on


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl_gets_what_the_guide_shows(office: Office, url: str, token: str) -> None:
    command = CURL.replace("https://privacy.example.org", url)
    environment = {"PATH": os.environ["PATH"], "TROTH_TOKEN": token}
    done = subprocess.run(["/bin/sh", "-c", command], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    [shown] = re.findall(r"^```json\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    answer = json.loads(done.stdout)
    assert answer.keys() == json.loads(shown).keys()
    assert (answer["right"], answer["state"]) == ("view", "in_progress")


def test_a_message_is_believed_by_its_signature_once(
    office: Office,
    receiver: Receiver,  # noqa: F811
    program: Program,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, secret = webhooks.make(receiver.url, ["case.received"], keys=office.deployment.keyring, now=office.now())
    monkeypatch.setenv("TROTH_HOOK_SECRET", secret)
    program(ASK)
    run_due(None, "api.webhook")
    [(headers, body)] = receiver.taken
    program(TOLD)
    told = program.names["told"]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert told(headers, body) == told(headers, body) == 204
    assert said.getvalue().count("case.received R-") == 1
    assert told(headers, body + b" ") == 400
    assert told({**headers, "webhook-timestamp": "0"}, body) == 400
    assert told({}, body) == 400


def test_an_old_message_is_refused(office: Office, receiver: Receiver) -> None:  # noqa: F811
    _, secret = webhooks.make(receiver.url, ["case.received"], keys=office.deployment.keyring, now=office.now())
    office.ask("view")
    run_due(None, "api.webhook")
    [(headers, body)] = receiver.taken
    assert verified_message(headers, body, secret)["type"] == "case.received"
    with pytest.raises(MessageRefused, match="too old"):
        verified_message(headers, body, secret, now=office.now() + dt.timedelta(minutes=6))


def test_a_program_sends_what_it_found_for_a_control_that_waits_for_it(office: Office, url: str, token: str) -> None:
    declared = "controls:\n  ours.doors_locked: {question: Were the doors locked?, pushed: {}, cannot_see: Windows.}\n"
    with Troth(url, token) as troth:
        with pytest.raises(ApiRefused) as refused:
            troth.send_evidence("ours.doors_locked", "pass", {})
        assert refused.value.status == 404
        file = office.folder / "troth.yaml"
        file.write_text(file.read_text() + declared)
        at = office.now()
        told = partial(troth.send_evidence, "ours.doors_locked", "pass", {"open doors": 0}, population=12, tested=12)
        sent = [told(at=at) for _ in range(2)]
        assert sent == [True, False]
        with pytest.raises(ApiRefused, match="must cover everything"):
            troth.send_evidence("ours.doors_locked", "pass", {"open doors": 0})


def test_where_nobody_answers_the_client_says_so_and_tokens_do_not_travel_in_clear(office: Office) -> None:
    with Troth("http://127.0.0.1:9", "troth_x") as nobody, pytest.raises(ApiUnreachable):
        nobody.ask("view", email="ann@example.org", reply_to="ann@example.org")
    with pytest.raises(ValueError, match="https"):
        Troth("http://privacy.example.org", "troth_x")
