"""What answers from outside: which ports count, which reports do, and what nothing can show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import troth.site.controls  # noqa: F401 - registers them
from troth.controls import Check, CheckOutcome, catalogue, run
from troth.declaration import Declaration
from troth.site.exposure import (
    DATABASE_PORTS,
    Exposure,
    ProbeReport,
    SeenFrom,
    StoreAddress,
    is_inside,
    store_addresses,
    targets,
)

NOW = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)
HOST, STORE_HOST = "example.org", "db.example.org"
STORES = (StoreAddress("shop", "", 5432), StoreAddress("desk", STORE_HOST, 3307))
ID = "site.not_exposed"
Ask = Callable[..., Check]


def report(**changes: Any) -> ProbeReport:
    """What an honest prober outside sees of a company whose firewall drops everything else."""
    endpoints = dict.fromkeys([*targets(STORES, [HOST]), (HOST, 1), (STORE_HOST, 1)], "silent")
    endpoints |= {(HOST, 443): "open", (HOST, 80): "open"}
    usual = ProbeReport(
        prober="office",
        at=NOW - dt.timedelta(hours=3),
        seen_from=SeenFrom.OUTSIDE,
        hosts=(HOST,),
        endpoints=endpoints,
        tls_version="TLSv1.3",
        tls_state="valid",
        days_left=60,
        pages={"policy": 200, "choices": 200, "contact": 200},
        has_contact_form=True,
    )
    return replace(usual, **{**changes, "endpoints": {**endpoints, **changes.get("endpoints", {})}})


@pytest.fixture
def ask(company: dict[str, Any]) -> Ask:
    company["organisation"]["site"] = f"https://{HOST}/"

    def asked(*reports: ProbeReport, stores: tuple[StoreAddress, ...] = STORES, unknown: tuple[str, ...] = ()) -> Check:
        given = {"declaration": Declaration.model_validate(company), "now": NOW}
        return run(ID, {**given, "exposure": Exposure(stores, unknown, 0, reports)})

    return asked


def test_a_database_that_answers_from_outside_is_found(ask: Ask) -> None:
    passed = ask(report())
    assert (passed.outcome, passed.valid_until) == (CheckOutcome.PASS, NOW + dt.timedelta(hours=45))
    assert passed.figures["stores"] == 2
    assert passed.evidence.observed == {"site", "shop", "desk"}

    check = ask(report(endpoints={(HOST, 5432): "open"}))
    assert check.outcome is CheckOutcome.FAIL
    assert [(it.place, it.message) for it in check.findings] == [
        ("shop", "its port 5432 answers at example.org from outside")
    ]


def test_a_store_that_answers_at_its_own_address_is_found_whichever_prober_saw_it(ask: Ask) -> None:
    assert ask(report()).outcome is CheckOutcome.PASS
    check = ask(report(), report(prober="home", endpoints={(STORE_HOST, 3307): "open"}))
    assert [it.place for it in check.findings] == ["desk"]


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (report(seen_from=SeenFrom.SAME_MACHINE), "from inside (same machine)"),
        (report(seen_from=SeenFrom.PRIVATE), "from inside (private)"),
        (report(seen_from=SeenFrom.SAME_NETWORK), "from inside (same network)"),
        (report(at=NOW - dt.timedelta(hours=49)), "older than 2 days"),
        (report(at=NOW + dt.timedelta(minutes=9)), "older than 2 days"),
        (report(hosts=("www.example.org",)), "was not given the host of our site"),
        (report(endpoints={(HOST, 5432): "unknown"}), "could not try example.org:5432"),
        (report(endpoints={(HOST, 3307): "no_route"}), "could not try example.org:3307"),
        (report(endpoints={(HOST, 6379): "no_address"}), "could not try example.org:6379"),
        (report(endpoints={(HOST, 6379): "open"}), "example.org:6379 answered, where no declared system is"),
        (report(endpoints={(HOST, 1): "open", (HOST, 5432): "open"}), "example.org answers on every port"),
        (report(reference={5432: "open"}), "lets no connection out to port 1433"),
        (report(tls_version="TLSv1.1"), "no connection to our site with TLS 1.2"),
        (report(tls_state="expired"), "no connection to our site with TLS 1.2"),
        (report(pages={"policy": 200, "choices": 404, "contact": 200}), "did not answer it: choices"),
        (report(has_contact_form=False), "has no form"),
    ],
)
def test_what_a_prober_did_not_see_from_outside_is_not_shown(ask: Ask, seen: ProbeReport, why: str) -> None:
    check = ask(seen)
    assert (check.outcome, check.findings) == (CheckOutcome.ERROR, ())
    assert why in check.summary


def test_a_prober_that_was_told_fewer_ports_than_the_stores_have_shows_nothing(ask: Ask) -> None:
    check = ask(report(), stores=(*STORES, StoreAddress("calls", "", 54320)))
    assert (check.outcome, "not told to try example.org:54320" in check.summary) == (CheckOutcome.ERROR, True)


def test_nothing_is_shown_without_a_report_or_while_an_address_is_not_known(ask: Ask) -> None:
    assert "no prober has reported" in ask().summary
    check = ask(report(), unknown=("calls",))
    assert (check.outcome, "the address of calls is not known" in check.summary) == (CheckOutcome.ERROR, True)


def test_a_prober_inside_sees_open_databases_as_it_should_and_does_not_spoil_the_other(ask: Ask) -> None:
    inside = report(prober="rack", seen_from=SeenFrom.PRIVATE, endpoints={(HOST, 5432): "open"})
    assert ask(inside).outcome is CheckOutcome.ERROR
    assert ask(inside, report()).outcome is CheckOutcome.PASS


@pytest.mark.parametrize(
    "usual",
    [
        {(HOST, 22): "open", (HOST, 8000): "open"},  # SSH, and a web server beside
        {(HOST, 5432): "closed", (HOST, 3307): "closed"},
        {(STORE_HOST, 3307): "private", (STORE_HOST, 1): "private"},  # a name that leads to a private address
        {(STORE_HOST, 3307): "no_address", (STORE_HOST, 1): "no_address"},
    ],
)
def test_ordinary_hosts_raise_no_alarm(ask: Ask, usual: dict[tuple[str, int], str]) -> None:
    assert ask(report(endpoints=usual)).outcome is CheckOutcome.PASS


def test_a_reference_host_shows_that_the_ports_are_let_out(ask: Ask) -> None:
    everywhere = dict.fromkeys([*DATABASE_PORTS, 3307], "open")
    assert ask(report(reference=everywhere)).outcome is CheckOutcome.PASS


@pytest.mark.parametrize(
    ("breach", "limit"),
    [
        ({("other.example.org", 5432): "open"}, "hosts that are not named to the prober"),
        ({(HOST, 25432): "open"}, "Ports that are not tried"),
    ],
)
def test_what_is_not_tried_stays_green_and_is_said(ask: Ask, breach: dict[tuple[str, int], str], limit: str) -> None:
    assert ask(report(endpoints=breach)).outcome is CheckOutcome.PASS
    assert limit in catalogue()[ID].cannot_see


# --- where stores listen ----------------------------------------------------------------------------------------------


def _listening(url: str, **system: Any) -> Exposure:
    declared = Declaration.model_validate(
        {
            "troth": 1,
            "organisation": {"name": "Example", "country": "GB", "address": "-", "email": "privacy@example.org"},
            "policy": {"file": "policy.md", "effective": "2026-11-01"},
            "systems": {"shop": {"store": "${SHOP_URL}", **system}},
        }
    )
    return store_addresses(declared, {"SHOP_URL": url} if url else {})


@pytest.mark.parametrize(
    ("url", "listens"),
    [
        ("postgresql://ann:s3cret@db.example.org/shop", [("db.example.org", 5432)]),
        ("postgresql+psycopg://ann:p%40ss@DB.example.org:6000/shop", [("db.example.org", 6000)]),
        ("mysql://ann@localhost/shop", [("", 3306)]),
        ("mariadb://ann@10.1.2.3:3307/shop", [("", 3307)]),
        ("postgresql:///shop?host=/run/postgresql", [("", 5432)]),
        ("postgresql:///shop", [("", 5432)]),
        ("postgresql:///shop?host=db1.example.org:5433&host=db2.example.org",
         [("db1.example.org", 5433), ("db2.example.org", 5432)]),
        ("postgresql://ann@database/shop", [("", 5432)]),
    ],
)  # fmt: skip
def test_an_address_is_a_host_and_a_port_and_nothing_else_of_the_url(url: str, listens: list[tuple[str, int]]) -> None:
    found = _listening(url)
    assert [(store.host, store.port) for store in found.stores] == listens
    assert "s3cret" not in repr(found)


def test_files_have_no_port_and_an_address_that_is_not_set_is_not_known() -> None:
    assert _listening("sqlite:///shop.sqlite3") == Exposure(excluded=1)
    assert _listening("files:/srv/shop") == Exposure(excluded=1)
    assert _listening("") == Exposure(unknown=("shop",))
    assert _listening("postgresql://a@h1.example.org:1,h2.example.org:2/x") == Exposure(unknown=("shop",))
    assert _listening("oracle://db.example.org") == Exposure(unknown=("shop",))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "[fe80::1]", "192.168.1.4", "db", "db.internal", ""])
def test_addresses_that_mean_nothing_outside(host: str) -> None:
    assert is_inside(host)
    assert not is_inside("db.example.org")
    assert not is_inside("93.184.215.14")
