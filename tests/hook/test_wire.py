"""The protocol: what one side writes the other reads, and nothing else; signatures of both ways hold once and now."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.hook.test_values import ask
from tests.tables import each_row

from troth.hook import Answer, AnswerState, Kept, Malformed, Right, Rows, SecretRefused, SignatureRefused
from troth.hook.wire import (
    check_answer,
    check_ask,
    dump_answer,
    dump_ask,
    keys_of,
    read_answer,
    read_ask,
    read_json,
    sign_answer,
    sign_ask,
)

KEYS = keys_of("k" * 32)
NOW = 1_764_039_600.0


# --- JSON -----------------------------------------------------------------------------------------------------------


def test_an_ask_arrives_as_it_was_sent() -> None:
    for sent in (
        ask(),
        ask(right=Right.AMEND, changes={"name": "Zoë", "age": 41, "left": None, "ok": True}),
        ask(right=Right.OBJECT, purposes=("newsletter",)),
    ):
        assert read_ask(dump_ask(sent)) == sent


def test_an_answer_arrives_as_it_was_sent() -> None:
    kept = Kept("invoice", 2, "tax law", "VATA 1994", dt.date(2032, 1, 1))
    for sent in (
        Answer(
            AnswerState.DONE, {"contact": Rows(("name", "age"), (("Zoë", 4.5), (None, True)))}, {"erased": 3}, (kept,)
        ),
        Answer.did(erased=1, evidence="sha256:" + "0" * 64),
        Answer.later(60),
        Answer.refused("legal_hold"),
    ):
        assert read_answer(dump_answer("case-1", sent)) == ("case-1", sent)


def _answer(**changes: Any) -> bytes:
    said = {"v": 1, "id": "case-1", "state": "done", **changes}
    return json.dumps({name: value for name, value in said.items() if value != "gone"}).encode()


@each_row(
    "body",
    [
        b"", b"[]", b"\xff", b"{}", b'{"v": 2, "id": "a", "state": "done"}', b"[" * 100_000,
        b'{"v": 1, "v": 1, "id": "a", "state": "done"}', b'{"v": 1, "id": "\\ud800", "state": "done"}',
        _answer(state="splendid"), _answer(state="gone"), _answer(id=7), _answer(more=1),
        _answer(counts={"erased": True}),
        _answer(counts={"erased": 1.0}), _answer(counts=[1]), _answer(counts={"erased": 10**30}), _answer(detail=7),
        _answer(detail="Ann said no"), _answer(evidence=7), _answer(retry_after_s="60"), _answer(rows=[]),
        _answer(rows={"t": {"columns": ["a"], "rows": [[["b"]]]}}), _answer(rows={"t": {"columns": [7], "rows": []}}),
        _answer(rows={"t": {"columns": ["a"], "rows": [[]]}}),
        _answer(rows={"t": {"columns": ["a"], "rows": [[float("inf")]]}}),
        b'{"v": 1, "id": "a", "state": "done", "rows": {"t": {"columns": ["a"], "rows": [[1e999]]}}}',
        _answer(kept=[{"what": "invoice"}]), _answer(kept=[7]),
        _answer(kept=[{"what": "i", "count": 1, "reason": "r", "cite": "c", "until": "soon"}]),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_not_read_and_not_repeated(body: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        read_answer(body)
    assert "Ann" not in f"{refused.value} {refused.value.__cause__} {refused.value.__context__}"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
_NAMES = "id right identifiers due organisation changes purposes state rows counts kept detail"


@given(st.dictionaries(st.sampled_from(_NAMES.split(" ")), _JSON))
def test_whatever_comes_is_read_or_refused(said: dict[str, Any]) -> None:
    body = json.dumps({"v": 1, **said}).encode()
    for read in (read_ask, read_answer):
        with contextlib.suppress(Malformed):
            read(body)


@given(st.binary(max_size=40))
def test_whatever_bytes_come_are_of_version_1_or_refused(body: bytes) -> None:
    with contextlib.suppress(Malformed):
        assert read_json(body)["v"] == 1


# --- signatures -----------------------------------------------------------------------------------------------------


def test_a_signed_ask_holds() -> None:
    mark = sign_ask(KEYS, "POST", "/p/ask", b"{}", now=NOW)
    assert check_ask(KEYS, str(mark), "POST", "/p/ask", b"{}", now=NOW + 300) == mark


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"method": "GET"}, "wrong"),
        ({"path": "/p/poll"}, "wrong"),
        ({"body": b"{ }"}, "wrong"),
        ({"keys": keys_of("x" * 32)}, "wrong"),
        ({"now": NOW + 301}, "clock"),
        ({"now": NOW - 301}, "clock"),
    ],
)
def test_a_signature_is_for_this_message_and_now(changed: dict[str, Any], code: str) -> None:
    signed: dict[str, Any] = {"keys": KEYS, "method": "POST", "path": "/p/ask", "body": b"{}", "now": NOW}
    mark = sign_ask(KEYS, "POST", "/p/ask", b"{}", now=NOW)
    with pytest.raises(SignatureRefused) as refused:
        check_ask(header=str(mark), **(signed | changed))
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "missing"),
        ("", "missing"),
        ("v2 t=1 n=aaaaaaaaaaaaaaaa s=" + "0" * 64, "form"),
        ("v1 t=1 n=a s=" + "0" * 64, "form"),
        ("v1 t=-1 n=aaaaaaaaaaaaaaaa s=" + "0" * 64, "form"),
        ("v1 t=1764039600 n=aaaaaaaaaaaaaaaa s=" + "0" * 64, "wrong"),
    ],
)
def test_a_header_of_another_form_is_refused(header: str | None, code: str) -> None:
    with pytest.raises(SignatureRefused) as refused:
        check_ask(KEYS, header, "POST", "/p/ask", b"{}", now=NOW)
    assert refused.value.code == code


def test_an_ask_cannot_be_sent_back_as_its_answer() -> None:
    asked = sign_ask(KEYS, "POST", "/p/ask", b"{}", now=NOW)
    with pytest.raises(SignatureRefused):
        check_answer(KEYS, str(asked), asked, 200, b"{}", now=NOW)


def test_an_answer_is_to_one_sending_with_one_status() -> None:
    asked, other = (sign_ask(KEYS, "POST", "/p/ask", b"{}", now=NOW) for _ in range(2))
    mark = str(sign_answer(KEYS, asked, 200, b"{}", now=NOW))
    check_answer(KEYS, mark, asked, 200, b"{}", now=NOW)
    for given_, status, now in ((other, 200, NOW), (asked, 202, NOW), (asked, 200, NOW + 301)):
        with pytest.raises(SignatureRefused):
            check_answer(KEYS, mark, given_, status, b"{}", now=now)


def test_while_a_secret_is_changed_both_are_accepted_and_the_first_signs() -> None:
    old, new = "o" * 32, "n" * 32
    mark = str(sign_ask(keys_of(old), "POST", "/p/ask", b"{}", now=NOW))
    check_ask(keys_of(f"{new} {old}"), mark, "POST", "/p/ask", b"{}", now=NOW)
    mark = str(sign_ask(keys_of(f"{new}\n{old}"), "POST", "/p/ask", b"{}", now=NOW))
    check_ask(keys_of(new), mark, "POST", "/p/ask", b"{}", now=NOW)


@pytest.mark.parametrize("secret", ["", "  ", "k" * 31, f"{'k' * 32} short"])
def test_a_short_secret_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(SecretRefused, match="32 characters") as refused:
        keys_of(secret)
    assert "kkk" not in str(refused.value)
