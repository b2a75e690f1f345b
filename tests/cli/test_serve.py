"""``troth serve`` and ``troth migrate``: what is refused before anything listens. Serving itself: ``tests/service``."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
from dataclasses import replace

import httpx
import pytest
from tests.cli.firm import TROTH, Firm

SAFE = {
    "TROTH_PROFILE": "production",
    "TROTH_HOSTS": "www.example.org",
    "TROTH_SECRET_KEY": "".join(map(chr, range(40, 120))),
    "TROTH_MAIL_URL": "smtp://mail.example.org",
}


@pytest.fixture
def public(firm: Firm) -> Firm:
    """The company with everything that the production profile asks for."""
    text = firm.declaration.read_text()
    firm.declaration.write_text(text.replace("country: GB", "country: GB, site: https://www.example.org", 1))
    return replace(firm, extra=SAFE)


def test_a_port_that_is_taken_is_told(firm: Firm) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        answer = firm.troth("serve", "--port", str(taken.getsockname()[1]), "--no-work")
    assert answer.code == 1
    assert answer.out == ""
    assert re.fullmatch(r"troth: nothing can listen at .* \(Address already in use\); .*\n", answer.err)


def test_an_address_that_is_none_of_ours_is_told(firm: Firm) -> None:
    answer = firm.troth("serve", "--address", "attic.example.org", "--no-work")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("troth: nothing can listen at attic.example.org")


def test_the_development_profile_does_not_leave_this_machine(firm: Firm) -> None:
    answer = firm.troth("serve", "--address", "0.0.0.0")
    assert answer.code == 1
    assert "TROTH_PROFILE=production" in answer.err


def test_production_refuses_an_unsafe_start_with_every_reason(firm: Firm) -> None:
    answer = replace(firm, extra={"TROTH_PROFILE": "production"}).troth("serve")
    assert answer.code == 1
    assert "TROTH_HOSTS is not set" in answer.err
    assert "organisation.site" in answer.err
    assert all(line.startswith("troth: ") for line in answer.err.splitlines())


def test_production_needs_a_root_key(public: Firm) -> None:
    (public.home / "root.key").unlink()
    answer = public.troth("serve")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == (
        "troth: Troth does not start in the production profile with this configuration:\n"
        f"troth:   - there is no root key at {public.home}/root.key; create one with: troth keys init\n"
    )


def test_nothing_is_made_for_an_address_that_is_refused(bare: Firm) -> None:
    assert bare.troth("serve", "--address", "0.0.0.0").code == 1
    assert not bare.home.exists()


@pytest.fixture
def port() -> str:
    """One that is free now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


@pytest.mark.parametrize(
    "settings",
    [pytest.param({}, marks=pytest.mark.soak), SAFE],  # `tests.service.test_server` serves in development
    ids=["development", "production"],
)
def test_a_start_that_is_not_refused_says_where_and_nothing_else(
    public: Firm, port: str, settings: dict[str, str]
) -> None:
    command = [TROTH, "serve", "--no-work", "--port", port, "--json"]
    environment = {**os.environ, **replace(public, extra=settings).environment}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with server, contextlib.ExitStack() as at_last:
        at_last.callback(server.terminate)
        assert server.stdout is not None
        said = ""
        while not said.endswith("}\n") and (line := server.stdout.readline()):
            said += line
        with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as visitor:  # it does listen
            visitor.get(
                f"http://127.0.0.1:{port}/ledger/",
                headers={"Host": settings.get("TROTH_HOSTS", "localhost")},
                timeout=30,
            )
        server.send_signal(signal.SIGINT)
        rest, complaints = server.communicate(timeout=30)
    assert json.loads(said or complaints) == {
        "address": f"http://127.0.0.1:{port}/policy/",
        "workers": 1,
        "work": False,
    }
    assert (rest, complaints) == ("", "")


def test_a_wrong_setting_is_named(firm: Firm) -> None:
    answer = replace(firm, extra={"TROTH_PROFILE": "prod"}).troth("serve")
    assert answer.code == 1
    assert answer.err.startswith("troth: TROTH_PROFILE is neither")


def test_migrating_is_harmless_twice(bare: Firm) -> None:
    assert bare.troth("migrate").code == 0
    assert bare.troth("migrate", "--json").document == {
        "database": "sqlite",
        "migrated": True,
        "restored": False,
    }
