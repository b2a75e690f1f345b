"""Addresses answer a company's own controls, over a line that is safe, and with a number."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from troth.controls import Check, CheckOutcome, run
from troth.declaration import Declaration
from troth.site import Site, SiteSnapshot, sandboxed_fetch

ID = "ours.queue_is_short"
NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)


@pytest.fixture
def ask(world: Any) -> Callable[..., Check]:
    def asked(path: str = "status", home: str = "", site: SiteSnapshot | None = None, **http: Any) -> Check:
        own = {
            "question": "Is the queue short?",
            "cannot_see": "Questions that reached no desk.",
            "http": {"url": f"{home or world.home}{path}", **http},
        }
        declared = Declaration.model_validate(
            {
                "troth": 1,
                "organisation": {"name": "E", "country": "GB", "address": "a", "email": "privacy@example.org"},
                "policy": {"file": "policy.md", "effective": "2026-01-01"},
                "controls": {ID: own},
            }
        )
        return run(ID, {"declaration": declared, "now": NOW, **({"site": site} if site else {})})

    return asked


def test_an_address_that_answers_as_it_should_passes_and_else_fails(ask: Any, world: Any) -> None:
    world.put("/status", "all is well")
    assert ask(contains="is well").outcome is CheckOutcome.PASS
    assert ask(contains="is ill").outcome is CheckOutcome.FAIL
    assert ask(status=204).outcome is CheckOutcome.FAIL
    world.put("/status", status=503)
    assert ask().outcome is CheckOutcome.FAIL


def test_each_of_several_pages_has_to_answer_alike(ask: Any, world: Any) -> None:
    for path in ("/status", "/a", "/b"):
        world.put(path, "all is well")
    good = ask(contains="is well", also=["/a", "/b"])
    assert (good.outcome, good.evidence.population, good.figures) == (CheckOutcome.PASS, 3, {"figure": 1})
    world.put("/b", "all is ill")
    check = ask(contains="is well", also=["/a", "/b"])
    assert (check.outcome, [finding.place for finding in check.findings]) == (CheckOutcome.FAIL, ["127.0.0.1 /b"])
    assert ask(contains="is well", also=["/a", "/b"], must="= 0").outcome is CheckOutcome.FAIL


def test_a_page_that_answers_hides_none_that_differs_in_its_query_alone(ask: Any, world: Any) -> None:
    world.put("/status?of=the-queue", "all is ill")
    world.put("/status", "all is well")
    check = ask("status?of=the-queue", contains="is well", also=["/status"])
    assert (check.outcome, [finding.place for finding in check.findings]) == (CheckOutcome.FAIL, ["127.0.0.1 /status"])
    assert (check.evidence.population, "1 of them failing" in check.summary) == (2, True)


def test_a_page_of_the_site_is_that_of_the_snapshot_and_has_its_time(ask: Any, world: Any) -> None:
    world.put("/status", "all is well")
    site = SiteSnapshot(Site(world.home), now=NOW)
    page = site.page("/status")
    world.put("/status", status=503)
    check = ask(contains="is well", site=site)
    assert (check.outcome, check.evidence.period) == (CheckOutcome.PASS, (page.fetched_at, page.fetched_at))
    assert len(world.asked) == 1


@pytest.mark.parametrize("other", [{"timeout_s": 3}, {"token": "${QUEUE_TOKEN}"}, {"json": "/length"}])
def test_what_a_visitor_would_request_in_another_way_is_requested_anew(
    ask: Any, world: Any, monkeypatch: pytest.MonkeyPatch, other: dict[str, Any]
) -> None:
    monkeypatch.setenv("QUEUE_TOKEN", "synthetic-token")
    world.put("/status", '{"length": 1}')
    site = SiteSnapshot(Site(world.home), now=NOW)
    site.page("/status")
    ask(site=site, **({"must": "< 5"} if "json" in other else {}), **other)
    assert len(world.asked) == 2


@pytest.mark.parametrize("also", [["b"], ["//b.example.org/"], ["https://b.example.org/"], ["/b?of=ann"]])
def test_further_pages_are_paths_of_the_same_site(ask: Any, also: list[str]) -> None:
    with pytest.raises(ValidationError, match="also"):
        ask(contains="is well", also=also)


def test_a_number_is_read_from_one_address(ask: Any) -> None:
    with pytest.raises(ValidationError, match="one address"):
        ask(json="/late", also=["/b"])


def test_a_number_in_the_answer_is_the_figure(ask: Any, world: Any) -> None:
    world.put("/status", json.dumps({"queue": [{"a/b": 5}, {"late": 6.5}]}))
    assert ask(json="/queue/0/a~1b", must="<= 5").figures == {"figure": 5}
    check = ask(json="/queue/1/late", must="<= 5")
    assert (check.outcome, check.figures) == (CheckOutcome.FAIL, {"figure": 6.5})


@pytest.mark.parametrize(
    "body",
    [
        "no json",
        '{"late": "ann@example.org"}',
        '{"late": NaN}',
        "[" * 100_000,
        *(pytest.param(body, marks=pytest.mark.soak) for body in ("", '{"late": null}', '{"l": 1}')),
    ],
)
def test_an_answer_without_that_number_is_an_error_and_is_not_repeated(ask: Any, world: Any, body: str) -> None:
    world.put("/status", body)
    check = ask(json="/late", must="= 0")
    assert check.outcome is CheckOutcome.ERROR
    assert "ann" not in check.summary


def test_a_redirect_is_not_followed(ask: Any, world: Any) -> None:
    world.put("/status", "", ("Location", "/secret"), status=302)
    world.put("/secret", "1")
    assert ask().outcome is CheckOutcome.FAIL
    assert [path for path, _ in world.asked] == ["/status"]


def test_a_large_answer_and_no_answer_are_errors(ask: Any, world: Any) -> None:
    world.put("/status", "x" * 1_100_000)
    assert ask().outcome is CheckOutcome.ERROR
    world.port = 1
    assert ask().outcome is CheckOutcome.ERROR


def test_the_token_comes_from_the_environment(ask: Any, world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put("/status", "ok")
    check = ask(token="${DESK_TOKEN}")
    assert (check.outcome, "DESK_TOKEN" in check.summary) == (CheckOutcome.ERROR, True)
    monkeypatch.setenv("DESK_TOKEN", "s3cret")
    assert ask(token="${DESK_TOKEN}").outcome is CheckOutcome.PASS
    [(_, headers)] = world.asked
    assert headers["authorization"] == "Bearer s3cret"


def test_an_address_that_answers_too_slowly_is_given_up(ask: Any, world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(str):
        __slots__ = ()

        def encode(self, *_: Any) -> bytes:  # the server waits before it answers
            time.sleep(1.5)
            return b"ok"

    world.put("/status", Slow("ok"))
    assert ask(timeout_s=1).outcome is CheckOutcome.ERROR


def _says_nothing(line: socket.socket) -> None:
    line.recv(1_000)


def _drips(line: socket.socket) -> None:
    """A letter of its headers every little while, each sooner than a reader gives up waiting for the next."""
    for letter in itertools.chain(b"HTTP/1.1 200 OK\r\nX-Long: ", itertools.repeat(ord("x"))):
        line.sendall(bytes([letter]))
        time.sleep(0.1)


@contextlib.contextmanager
def _listening(greets: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of a server that has its own way with whoever connects, and lets nobody go."""
    with contextlib.ExitStack() as lines, socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):  # whoever asked is gone
                greets(lines.enter_context(server.accept()[0]))

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


@pytest.mark.parametrize("greets", [_says_nothing, _drips])
def test_a_server_that_never_ends_its_answer_is_given_up(
    ask: Any, greets: Callable[[socket.socket], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandboxed_fetch, "START_S", 4.0)
    with _listening(greets) as address:
        check = ask(home=address, timeout_s=1)
    assert (check.outcome, check.figures) == (CheckOutcome.ERROR, {})
