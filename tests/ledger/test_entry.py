"""Entries: one way to write them, and no way to put a person into them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.declaration import Strategy
from troth.ledger import (
    ENTRY_BYTES_MAX,
    KINDS,
    Commitment,
    DeclaredName,
    Entry,
    EntryRefused,
    EntryUnknown,
    Hash,
    KeyId,
    LedgerError,
    Pseudonym,
)
from troth.ledger.fields import Day, FieldShape, Of, OneOf, Whole, WordCounts

NOW = dt.datetime(2026, 11, 24, 9, 41, 0, 123_000, tzinfo=dt.UTC)
ANN = Pseudonym("ps1:" + "0a" * 16)
ERASED: Mapping[str, Any] = {
    "subject": ANN,
    "plan": Hash("dg1:" + "b" * 64),
    "rows": {"delete": 3, "mask": 2},
    "kept": 1,
    "rescan": "clean",
}

HEX = st.sampled_from("0123456789abcdef")
NAMES = st.from_regex(r"[a-z_]{1,20}(\.[a-z_]{1,20}){0,2}", fullmatch=True)
TOKENS = {
    Pseudonym: st.text(HEX, min_size=32, max_size=32).map(lambda digits: Pseudonym("ps1:" + digits)),
    Commitment: st.text(HEX, min_size=64, max_size=64).map(lambda digits: Commitment("cm1:" + digits)),
    Hash: st.text(HEX, min_size=64, max_size=64).map(lambda digits: Hash("sha256:" + digits)),
    KeyId: st.text(HEX, min_size=16, max_size=16).map(lambda digits: KeyId("k1:" + digits)),
    DeclaredName: st.one_of(NAMES, st.text(max_size=200)).map(DeclaredName.of),
}


def fitting(shape: FieldShape) -> st.SearchStrategy[Any]:
    match shape:
        case Whole(low):
            return st.integers(low, 2**53 - 1)
        case OneOf(words):
            return st.sampled_from(words)
        case WordCounts(words):
            return st.dictionaries(st.sampled_from(words), st.integers(0, 2**53 - 1))
        case Of(kind):
            return TOKENS[kind]
        case Day():
            return st.dates()
    raise AssertionError(f"say in this test what fits {shape}")


@st.composite
def any_entry(draw: st.DrawFn) -> Entry:
    name = draw(st.sampled_from(sorted(KINDS)))
    kind = KINDS[name]
    may = draw(st.sets(st.sampled_from(sorted(kind.may)))) if kind.may else set()
    fields = {field: draw(fitting({**kind.needs, **kind.may}[field])) for field in {*kind.needs, *may}}
    zones = st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=5))])
    at = draw(st.datetimes(timezones=zones).filter(lambda moment: moment.year > 1))
    return Entry(name, at, fields)


# --- the bytes --------------------------------------------------------------------------------------------------------


@given(any_entry())
def test_what_is_written_is_read_back(entry: Entry) -> None:
    again = Entry.decode(entry.encoded)
    assert again == entry
    assert (again.kind, again.at, again.fields) == (entry.kind, entry.at, entry.fields)
    assert len(entry.encoded) < ENTRY_BYTES_MAX / 8


def test_the_bytes_of_an_entry_never_change() -> None:
    assert Entry("subject.erased", NOW, ERASED).encoded == (
        b'troth1 {"at":"2026-11-24T09:41:00.123Z","kept":1,"kind":"subject.erased",'
        b'"plan":"dg1:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","rescan":"clean",'
        b'"rows":{"delete":3,"mask":2},"subject":"ps1:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"}'
    )


@given(any_entry(), st.data())
def test_no_other_bytes_are_read_as_the_same_entry(entry: Entry, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(entry.encoded) - 1))
    spoiled = bytearray(entry.encoded)
    spoiled[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != spoiled[at]))
    try:
        other = Entry.decode(bytes(spoiled))
    except LedgerError:
        return
    assert other != entry
    assert other.encoded == bytes(spoiled)


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda tail: b"troth1 " + tail))
def test_bytes_from_anywhere_are_refused_cleanly(stored: bytes) -> None:
    with pytest.raises((EntryRefused, EntryUnknown)):
        Entry.decode(stored)


@each_row(
    "change",
    [
        lambda text: text.replace(",", ", "),
        lambda text: text.replace('{"at"', '{"kept":1,"at"'),
        lambda text: text.replace('"kept":1', '"kept":1.0'),
        lambda text: text.replace('"kept":1', '"kept":true'),
        lambda text: text.replace("clean", "cl\\u0065an"),
        lambda text: text.replace("123Z", "123456Z"),
        lambda text: text + "\n",
        lambda text: "troth1 " + "[" * 50_000,
    ],
)
def test_only_the_canonical_form_is_read(change: Any) -> None:
    text = Entry("subject.erased", NOW, ERASED).encoded.decode()
    with pytest.raises(EntryRefused):
        Entry.decode(change(text).encode())


def test_a_later_version_is_said_to_be_one() -> None:
    with pytest.raises(EntryUnknown, match="has version 2"):
        Entry.decode(b"troth2 \x00\x01")
    with pytest.raises(EntryUnknown, match="kind"):
        Entry.decode(b'troth1 {"at":"2026-11-24T09:41:00.123Z","kind":"moon.landed"}')
    later = Entry("subject.erased", NOW, ERASED).encoded.replace(b'"kept"', b'"colour":1,"kept"')
    with pytest.raises(EntryUnknown, match="field"):
        Entry.decode(later)


def test_moments_are_kept_in_utc_to_the_millisecond() -> None:
    there = dt.timezone(dt.timedelta(hours=-5))
    entry = Entry(
        "demo.fault_planted", dt.datetime(2026, 11, 24, 4, 41, 0, 123_999, there), {"fault": DeclaredName("x")}
    )
    assert (entry.at, entry.at.tzinfo) == (NOW, dt.UTC)


# --- what fits and what does not --------------------------------------------------------------------------------------


@given(
    text=st.one_of(
        st.text(),
        st.emails(),
        st.sampled_from(["Ann Smith", "ann@example.org", "+44 7700 900123", "07700900123", "1 High Street", "Ann\n"]),
    ),
    kind=st.sampled_from(sorted(KINDS)),
    data=st.data(),
)
def test_free_text_fits_nowhere(text: str, kind: str, data: st.DataObject) -> None:
    shapes = {**KINDS[kind].needs, **KINDS[kind].may}
    field = data.draw(st.sampled_from(sorted(shapes)))
    fields = {name: data.draw(fitting(shape)) for name, shape in shapes.items()}
    with pytest.raises(EntryRefused) as plain:
        Entry(kind, NOW, {**fields, field: object()})  # type: ignore[dict-item]
    for value in (text, {text: 1}, [text], text.encode(), (text,)):
        if isinstance(shapes[field], OneOf) and text in shapes[field].words:  # type: ignore[attr-defined]
            continue
        if isinstance(shapes[field], WordCounts) and isinstance(value, dict) and text in shapes[field].words:  # type: ignore[attr-defined]
            continue
        with pytest.raises(EntryRefused) as refused:
            Entry(kind, NOW, {**fields, field: value})  # type: ignore[dict-item]
        # A text may be a word of ours.
        assert len(text) < 4 or text in str(plain.value) or text not in str(refused.value)


@given(
    st.emails()
    | st.from_regex(r"\+?[0-9][0-9 ()-]{5,14}", fullmatch=True)
    | st.text(alphabet="ab \t\n'\"@/:é", min_size=1)
)
def test_an_address_a_number_and_a_sentence_are_no_names(text: str) -> None:
    if text.replace("a", "").replace("b", ""):
        with pytest.raises(EntryRefused):
            DeclaredName(text)
        assert text not in DeclaredName.of(text).text


@pytest.mark.parametrize(
    "text", ["u07700900123", "shop.id_4929123456781234", "a" * 161, "shop.", ".shop", "1st", "a..b"]
)
def test_a_number_that_could_be_a_person_s_is_no_part_of_a_name(text: str) -> None:
    with pytest.raises(EntryRefused):
        DeclaredName(text)


@given(st.text(max_size=300))
def test_every_declared_name_has_a_form(declared: str) -> None:
    name = DeclaredName.of(declared)
    assert DeclaredName(name.text) == name == DeclaredName.of(declared)


@pytest.mark.parametrize("token", [Pseudonym, Commitment, Hash, KeyId])
@given(text=st.text())
def test_tokens_are_not_made_from_text(token: Any, text: str) -> None:
    with pytest.raises(EntryRefused):
        token(text)


@each_row(
    ("fields", "says"),
    [
        ({key: value for key, value in ERASED.items() if key != "plan"}, "needs plan"),
        ({**ERASED, "note": "Ann asked nicely"}, "allows only"),
        ({**ERASED, "kept": -1}, "kept of subject.erased takes a whole number"),
        ({**ERASED, "kept": True}, "kept"),
        ({**ERASED, "rescan": "Ann"}, "rescan of subject.erased takes one of: clean"),
        ({**ERASED, "rows": {"delete": 1.5}}, "rows"),
        ({**ERASED, "plan": ANN}, "plan of subject.erased takes a Hash"),
        ({**ERASED, "kept_until": NOW}, "kept_until of subject.erased takes a date"),
    ],
)
def test_a_refusal_says_which_field_and_not_which_value(fields: Any, says: str) -> None:
    with pytest.raises(EntryRefused, match=says) as refused:
        Entry("subject.erased", NOW, fields)
    assert "Ann" not in str(refused.value)


@pytest.mark.parametrize(
    "at", [NOW.replace(tzinfo=None), "2026-11-24", dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=9)))]
)
def test_a_moment_without_a_place_in_time_is_refused(at: Any) -> None:
    with pytest.raises(EntryRefused):
        Entry("demo.fault_planted", at, {"fault": DeclaredName("x")})


def test_enums_of_other_rooms_fit_as_their_words() -> None:
    entry = Entry("subject.erased", NOW, {**ERASED, "rows": {Strategy.DELETE: 3, Strategy.MASK: 2}})
    assert entry == Entry("subject.erased", NOW, ERASED)


# --- the schema -------------------------------------------------------------------------------------------------------


def test_every_strategy_of_the_declaration_can_be_counted() -> None:
    rows = KINDS["subject.erased"].needs["rows"]
    assert isinstance(rows, WordCounts)
    assert set(rows.words) == {str(strategy) for strategy in Strategy}


def test_no_kind_has_a_field_that_the_entry_itself_has() -> None:
    for kind in KINDS.values():
        assert not {"at", "kind"} & {*kind.needs, *kind.may}
        assert not kind.needs.keys() & kind.may.keys()


def test_released_kinds_only_gain_optional_fields() -> None:
    """Entries are for ever. This pins what was released; a new optional field or kind is added here, nothing else."""
    needs = {name: " ".join(sorted(kind.needs)) for name, kind in KINDS.items()}
    assert needs == {
        "declaration.loaded": "declaration fields promises systems tables",
        "declaration.changed": "after before",
        "policy.published": "effective policy verdict",
        "keys.created": "key purpose",
        "keys.changed": "key purpose state",
        "keys.exported": "and_by by key keys plan recipients",
        "keys.imported": "and_by by key keys plan",
        "approvers.changed": "approver change",
        "backup.drilled": "erased erased_opened lost not_final_yet opened tried",
        "subject.viewed": "actor purpose subject",
        "plan.approved": "actor plan right subject",
        "subject.amended": "fields plan rescan rows subject",
        "subject.erased": "kept plan rescan rows subject",
        "erasure.failed": "plan subject why",
        "amendment.failed": "plan subject why",
        "run.resumed": "done left plan right run",
        "case.received": "case channel what",
        "case.verified": "case tier",
        "case.changed": "case change",
        "choice.recorded": "act actor choices rows state",
        "choice.ended": "act choices rows state",
        "case.closed": "case outcome",
        "hold.placed": "actor hold review",
        "hold.reviewed": "actor hold review",
        "hold.released": "actor hold",
        "token.changed": "change token",
        "prober.changed": "change prober",
        "contact.answered": "mailbox",
        "canary.made": "found left planted systems",
        "letter.sent": "letter to",
        "disclosure.made": "people purpose recipient way what",
        "erasure.replayed": "erased found left restored_from system",
        "records.restored": "entries",
        "clock.doubted": "days",
        "clock.confirmed": "by days",
        "return.acknowledged": "actor reason subject systems",
        "tokens.made": "count domain",
        "tokens.read": "count domain purpose",
        "tokens.forgotten": "count domain",
        "staff.invited": "actor staff",
        "staff.left": "staff why",
        "grant.given": "actor right staff until",
        "grant.ended": "right staff why",
        "grants.reviewed": "actor ended kept",
        "undertaking.signed": "document staff until",
        "access.refused": "by why",
        "sign_in.failed": "count",
        "batch.recorded": "count root what",
        "check.made": "control evidence outcome",
        "check.changed": "after before control",
        "check.retracted": "actor checks control reason since until",
        "evidence.disposed": "before checks",
        "rehearsal.made": "content declaration noticed planted promises",
        "promise.changed": "after before promise",
        "control.unbound": "control promise",
        "control.loosened": "control what",
        "waiver.given": "actor by content promise until",
        "attestation.given": "actor by content promise until",
        "law.reviewed": "actor by policy rules",
        "budget.spent": "budget delta_femto epsilon_nano what",
        "counts.released": "held_back history k shown",
        "demo.fault_planted": "fault",
        "edition.started": "by edition list people plan",
        "edition.changed": "edition state",
        "edition.finished": "edition in_doubt refused sent stopped",
        "edition.approved": "actor by edition plan",
        "suppression.lifted": "actor by reason rows subject",
        "list.synced": "add delete list record_bounce record_stop unsubscribe",
    }
