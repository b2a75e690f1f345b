"""Masks: meaningless, fitting, the same every time, and recognised exactly."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import re
import uuid
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.protect import Keyring, Masker, MaskFit, MaskKind, MaskRefused, MaskTooNarrow, Part
from troth.stores import ColumnKind

from .conftest import ROOT

MASKER = Masker(Keyring(ROOT))
PLACE = "shop.customer.email"
KEYS: list[tuple[Part, ...]] = [(number,) for number in range(2_000)]
WIDE = MaskFit("integer", low=0, high=2**63 - 1)

fits = st.builds(
    MaskFit,
    kind=st.sampled_from([kind.value for kind in MaskKind if kind is not MaskKind.OTHER]),
    length=st.none() | st.integers(0, 60),
)
keys = st.lists(st.integers() | st.text() | st.uuids(), min_size=1, max_size=3).map(tuple)


@given(fits, keys)
def test_a_mask_is_made_from_place_and_key_alone(fit: MaskFit, key: tuple[Part, ...]) -> None:
    mask = MASKER.mask(fit, PLACE, key)
    assert mask == Masker(Keyring(ROOT)).mask(fit, PLACE, key)
    assert MASKER.batch(fit, PLACE, [key, key]) == [mask, mask]
    assert MASKER.looks_masked(fit, PLACE, key, mask)


@given(fits, keys)
def test_a_mask_fits_its_column(fit: MaskFit, key: tuple[Part, ...]) -> None:
    mask = MASKER.mask(fit, PLACE, key)
    if isinstance(mask, str) and fit.kind in {"text", "email", "phone"}:
        assert fit.length is None or len(mask) == len(mask.encode()) <= fit.length
    if isinstance(mask, bytes):
        assert fit.length is None or len(mask) <= fit.length


@each_row(
    ("fit", "kind"),
    [
        (MaskFit("text"), str),
        (MaskFit("integer"), int),
        (MaskFit("number"), int),
        (MaskFit("boolean"), bool),
        (MaskFit("date"), dt.date),
        (MaskFit("datetime"), dt.datetime),
        (MaskFit("time"), dt.time),
        (MaskFit("bytes"), bytes),
        (MaskFit("uuid"), uuid.UUID),
    ],
)
def test_a_mask_has_the_column_s_type(fit: MaskFit, kind: type) -> None:
    assert type(MASKER.mask(fit, PLACE, (1,))) is kind


def test_rows_and_places_have_masks_of_their_own(masker: Masker) -> None:
    fit = MaskFit("text")
    assert masker.mask(fit, PLACE, (1,)) != masker.mask(fit, PLACE, (2,))
    assert masker.mask(fit, PLACE, (1,)) != masker.mask(fit, "shop.customer.name", (1,))
    assert masker.mask(fit, PLACE, (1,)) != Masker(Keyring(bytes(32))).mask(fit, PLACE, (1,))


@pytest.mark.parametrize(
    "fit",
    [
        MaskFit("text", 14, unique=True),
        MaskFit("email", 24, unique=True),
        MaskFit("email", 14, unique=True),
        MaskFit("phone", 20, unique=True),
        MaskFit("bytes", 7, unique=True),
        MaskFit("uuid", unique=True),
        MaskFit("integer", unique=True, low=0, high=2**63 - 1),
        MaskFit("integer", unique=True, low=-(2**63), high=2**63 - 1),
    ],
)
def test_where_rows_must_differ_they_do(masker: Masker, fit: MaskFit) -> None:
    masks = masker.batch(fit, PLACE, KEYS)
    assert len(set(masks)) == len(KEYS)
    assert not any(isinstance(mask, int) and not (fit.low or 0) <= mask <= (fit.high or 0) for mask in masks)


@pytest.mark.parametrize(
    ("fit", "says", "needed"),
    [
        (MaskFit("text", 13, unique=True), "need 14 characters, and this column has 13", 14),
        (MaskFit("email", 13, unique=True), "need 14 characters", 14),
        (MaskFit("phone", 19, unique=True), "need 20 characters", 20),
        (MaskFit("bytes", 6, unique=True), "need 7 bytes", 7),
        (MaskFit("integer", unique=True), "56 bits", 56),
        (MaskFit("integer", unique=True, low=5, high=4), "56 bits", 56),
    ],
)
def test_too_narrow_a_column_is_refused_with_what_it_needs(
    masker: Masker, fit: MaskFit, says: str, needed: int
) -> None:
    with pytest.raises(MaskTooNarrow, match=says) as refused:
        masker.batch(fit, PLACE, [])
    assert refused.value.needed == needed


@pytest.mark.parametrize(
    "fit", [MaskFit("date", unique=True), MaskFit("boolean", unique=True), MaskFit("other"), MaskFit("x")]
)
def test_a_column_that_no_mask_fits_is_refused(masker: Masker, fit: MaskFit) -> None:
    with pytest.raises(MaskRefused):
        masker.batch(fit, PLACE, KEYS)


@given(st.integers(0, 80), keys)
def test_nothing_can_be_mailed_to_a_mask(length: int, key: tuple[Part, ...]) -> None:
    mask = MASKER.mask(MaskFit("email", length), PLACE, key)
    assert isinstance(mask, str)
    assert "@" not in mask or mask.endswith(".invalid")  # RFC 2606 §2
    assert length < 14 or re.fullmatch(r"[a-z0-9-]+@(masked|m)\.invalid", mask)


@given(st.none() | st.integers(11, 40), st.booleans(), keys)
def test_nobody_answers_a_masked_number(length: int | None, unique: bool, key: tuple[Part, ...]) -> None:
    if unique and length is not None and length < 20:
        return
    mask = MASKER.mask(MaskFit("phone", length, unique=unique), PLACE, key)
    assert isinstance(mask, str)
    if unique:
        with pytest.raises(phonenumbers.NumberParseException, match="too long"):
            phonenumbers.parse(mask, "GB")
    else:
        assert re.fullmatch(r"(\+44|0)7700900\d{3}", mask)  # Ofcom, numbers for use in TV and radio drama
        assert phonenumbers.is_possible_number(phonenumbers.parse(mask, "GB"))


@pytest.mark.parametrize(("low", "high", "mask"), [(None, None, 0), (1, 9, 1), (-9, -2, -2), (0, 255, 0)])
def test_a_masked_number_is_nought_or_next_to_it(masker: Masker, low: int | None, high: int | None, mask: int) -> None:
    assert masker.mask(MaskFit("integer", low=low, high=high), PLACE, (1,)) == mask


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        ("datetime", dt.datetime(2000, 1, 1)),  # noqa: DTZ001 - as a driver without time zones gives it
        ("datetime", dt.datetime(2000, 1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1)))),
        ("number", decimal.Decimal("0.00")),
        ("boolean", 0),
    ],
)
def test_a_mask_is_recognised_however_the_driver_gives_it(masker: Masker, kind: str, stored: Part) -> None:
    assert masker.looks_masked(MaskFit(kind), PLACE, (1,), stored)


def test_a_padded_mask_is_recognised(masker: Masker) -> None:
    fit = MaskFit("text", 40)
    mask = str(masker.mask(fit, PLACE, (1,)))
    assert masker.looks_masked(fit, PLACE, (1,), mask + "   ")
    assert not masker.looks_masked(fit, PLACE, (1,), mask + "x")


@given(st.text() | st.integers() | st.none() | st.binary())
def test_nothing_else_is_taken_for_a_mask(value: Part) -> None:
    assert not MASKER.looks_masked(MaskFit("text"), PLACE, (1,), value)
    assert not MASKER.looks_masked(MaskFit("text"), PLACE, (1,), MASKER.mask(MaskFit("text"), PLACE, (2,)))


def test_a_subject_has_one_pseudonym_everywhere(masker: Masker, keyring: Keyring) -> None:
    ann, ben = keyring.pseudonyms("subject", ["ann", "ben"])
    fit = MaskFit("text", 30)
    assert masker.pseudonymise(fit, ann) == masker.pseudonymise(fit, ann.text)
    assert masker.pseudonymise(fit, ann) != masker.pseudonymise(fit, ben)
    assert str(masker.pseudonymise(fit, ann)) not in ann.text


def test_every_kind_of_column_is_known() -> None:
    assert {kind.value for kind in ColumnKind} <= {kind.value for kind in MaskKind}


def test_masks_never_change(masker: Masker) -> None:
    """The rescan makes them again, years later. Whoever turns this red needs to know both forms."""
    shapes = [MaskFit(kind, length) for kind in MaskKind if kind is not MaskKind.OTHER for length in (None, 12)]
    shapes += [WIDE, MaskFit("integer", unique=True, low=1, high=2**63 - 1), MaskFit("phone", unique=True)]
    made = {
        f"{fit.kind} {fit.length} {fit.unique} {fit.high}": repr(masker.mask(fit, PLACE, (7, "b"))) for fit in shapes
    }
    pinned = json.loads((Path(__file__).parents[1] / "vectors/protect/formats.json").read_text())
    assert made == pinned["masks"]
