"""``troth staff``: the first account, and the day when nobody else can."""

from __future__ import annotations

import json

from tests.cli.firm import Firm

WHY = ("--reason", "runs the service")


def test_the_first_member_is_invited_listed_and_given_more(firm: Firm) -> None:
    invited = firm.troth("staff", "invite", "Ann@Example.org", "--role", "administrator", *WHY)
    assert invited.code == 0, invited.err
    assert invited.out.startswith("http://localhost:8000/staff/invitation/")
    told = firm.troth("staff", "list", "--json").document
    [ann] = told["people"]
    assert (ann["account"], ann["second_factor"], told["see_personal_data"]) == ("ann@example.org", False, 0)
    assert [(grant["right"], grant["state"]) for grant in ann["grants"]] == [
        ("api.manage", "no_undertaking"),
        ("staff.manage", "no_undertaking"),
    ]
    until = ("--until", "2020-01-01")
    assert firm.troth("staff", "grant", "ann@example.org", "--right", "cases.handle", *WHY, *until).code == 1
    assert firm.troth("staff", "grant", "ann@example.org", "--right", "cases.handle", *WHY).code == 0
    refused = firm.troth("staff", "grant", "ann@example.org", "--role", "officer", *WHY)
    assert (refused.code, "together" in refused.err, refused.out) == (1, True, "")
    assert "1 right ended" in firm.troth("staff", "revoke", "ann@example.org", "--right", "cases.handle").out
    assert [entry["actor"] for entry in firm.entries("grant.given")] == ["owner"] * 3
    assert "ann" not in json.dumps(firm.entries("staff.invited")).casefold()


def test_a_member_is_reviewed_and_leaves(firm: Firm) -> None:
    letter = firm.troth("staff", "invite", "ben@example.org", "--role", "handler", *WHY, "--letter", "--json").document
    assert letter == {"account": "ben@example.org", "letter": True, "link": None}
    listed = firm.troth("staff", "review").out
    assert "runs the service" in listed
    assert firm.troth("staff", "review", "--keep", "ben@example.org", "--json").document == {"kept": 2, "ended": 0}
    plan = firm.troth("staff", "leave", "ben@example.org")
    assert "nothing was changed" in plan.out
    assert firm.entries("staff.left") == []
    assert firm.troth("staff", "leave", "ben@example.org", "--apply").code == 0
    assert len(firm.entries("staff.left")) == 1
    assert "(left)" in firm.troth("staff", "list").out


def test_what_is_asked_wrongly_is_told(firm: Firm) -> None:
    assert firm.troth("staff", "grant", "ann@example.org", *WHY).code == 2
    assert firm.troth("staff", "grant", "ann@example.org", "--role", "handler", *WHY).code == 1
    assert firm.troth("staff", "invite", "not an address", *WHY).code == 1
    assert firm.troth("staff", "invite", "ann@example.org", "--role", "king", *WHY).code == 2
