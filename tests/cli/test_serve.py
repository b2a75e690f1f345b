"""``troth serve`` and ``troth migrate``: what is refused before anything listens. Serving itself: ``tests/service``."""

from __future__ import annotations

import re
import socket
from dataclasses import replace

from tests.cli.firm import Firm


def test_a_port_that_is_taken_is_told(firm: Firm) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        answer = firm.troth("serve", "--port", str(taken.getsockname()[1]), "--no-keep")
    assert answer.code == 1
    assert answer.out == ""
    assert re.fullmatch(r"troth: nothing can listen at .* \(Address already in use\); .*\n", answer.err)


def test_an_address_that_is_none_of_ours_is_told(firm: Firm) -> None:
    answer = firm.troth("serve", "--address", "attic.example.org", "--no-keep")
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


def test_a_wrong_setting_is_named(firm: Firm) -> None:
    answer = replace(firm, extra={"TROTH_PROFILE": "prod"}).troth("serve")
    assert answer.code == 1
    assert answer.err.startswith("troth: TROTH_PROFILE is neither")


def test_migrating_is_harmless_twice(bare: Firm) -> None:
    assert bare.troth("migrate").code == 0
    assert bare.troth("migrate", "--json").document == {"database": "sqlite", "migrated": True}
