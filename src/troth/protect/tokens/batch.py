"""Tokens of many values at once, bit for bit equal to `stateless`. Needs numpy, of ``troth[tokens]``.

Internally, values of one length are ASCII arrays with a value per row and a character per column. A refused batch names
one row, and returns nothing.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from troth.protect.errors import TokenRefused
from troth.protect.hazmat.ff1_batch import decrypt_batch, encrypt_batch
from troth.protect.tokens.cards import LAST
from troth.protect.tokens.formats import TokenFormat
from troth.protect.tokens.pan import LENGTHS, require_digits, require_pan
from troth.protect.tokens.stateless import ALPHABETS, TokenKey, pan_digit, refuse_card, refuse_text

Ascii = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.bool_]
Act = Callable[[Ascii], Ascii]

_NOUGHT = np.uint8(ord("0"))


def with_list(values: Sequence[str], act: Act) -> list[str]:
    """Apply *act* to texts, grouped by length."""
    if len(set(map(len, values))) == 1:
        return _texts(act(_ascii(values)))
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row, value in enumerate(values):
        rows_of[len(value)].append(row)
    results = [""] * len(values)
    for rows in rows_of.values():
        made = _texts(_on_rows(_ascii([values[row] for row in rows]), act, rows))
        for row, text in zip(rows, made, strict=True):
            results[row] = text
    return results


def with_array(values: npt.NDArray[Any], act: Act) -> npt.NDArray[Any]:
    """Apply *act* to an array of bytes (dtype ``S``), or to a table of digits 0 to 9 (dtype ``uint8``, a value per
    row). Returns the same type."""
    values = np.ascontiguousarray(values)
    if values.dtype == np.uint8 and values.ndim == 2:
        return act(values + _NOUGHT) - _NOUGHT
    if values.dtype.kind != "S" or values.ndim != 1:
        raise TokenRefused("an array of values must have dtype S, or dtype uint8 with a row of digits for each value")
    table = values.view(np.uint8).reshape(len(values), values.dtype.itemsize)
    if table.size and table[:, -1].all():  # all of one length
        return np.ascontiguousarray(act(table)).view(values.dtype).reshape(len(values))
    lengths = np.count_nonzero(table, axis=1)
    result = np.zeros_like(table)
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        result[rows, :length] = _on_rows(table[rows, :length], act, rows)
    return result.view(values.dtype).reshape(len(values))


def pan_tokens(key: TokenKey, pans: Ascii) -> Ascii:
    """`stateless.pan_token` of every row."""
    digits = _digits(pans, "a card number")
    _refuse_first(_luhn(digits) != 0, lambda row: require_pan(_text(pans, row)))
    return _moved(encrypt_batch, key, pans, digits, key.digit)


def pans(key_of: Callable[[int], TokenKey], tokens: Ascii) -> Ascii:
    """`stateless.pan_of` of every row, under the keys of the versions that the rows name."""
    digits = _digits(tokens, "a token of a card")
    versions = _luhn(digits)
    _refuse_first(versions == 0, lambda row: pan_digit(_text(tokens, row)))
    result = np.empty_like(tokens)
    for version in np.flatnonzero(np.bincount(versions)):
        rows: Rows = versions == np.uint8(version)
        with _refusing(int(rows.argmax())):
            key = key_of(int(version))
        if rows.all():
            return _moved(decrypt_batch, key, tokens, digits, 0)
        result[rows] = _moved(decrypt_batch, key, tokens[rows], digits[rows], 0)
    return result


def text_tokens(key: TokenKey, format_: TokenFormat, values: Ascii) -> Ascii:
    """`stateless.text_token` of every row."""
    numerals = _numerals(format_, values)
    _refuse_cards(values, reading=False)
    return _alphabet(format_)[encrypt_batch(key.ff1, numerals, key.tweak)]


def texts_of(key: TokenKey, format_: TokenFormat, tokens: Ascii) -> Ascii:
    """`stateless.text_of` of every row."""
    texts = _alphabet(format_)[decrypt_batch(key.ff1, _numerals(format_, tokens), key.tweak)]
    _refuse_cards(texts, reading=True)
    return texts


# --- cards -----------------------------------------------------------------------------------------------------------


def _moved(crypt: Callable[..., Ascii], key: TokenKey, ascii_: Ascii, digits: Ascii, residue: int) -> Ascii:
    """Encrypt or decrypt all but the last five digits, and choose the fifth-last to give the remainder."""
    chosen = ascii_.shape[1] - LAST - 1
    last4 = ascii_[:, -LAST:]
    result = digits.copy()
    result[:, :chosen] = crypt(key.ff1, digits[:, :chosen], key.tweak, last4)
    result[:, chosen] = 0
    result[:, chosen] = _modulo_10(np.uint8(10 + residue) - _luhn(result))
    result += _NOUGHT
    return result


def _luhn(digits: Ascii) -> Ascii:
    """`cards.luhn` of every row; sums of at most 19 digits fit into a byte."""
    columns = digits.T[::-1]
    total = np.zeros(len(digits), np.uint8)
    for column in columns[::2]:
        total += column
    for column in columns[1::2]:
        total += column + column - np.uint8(9) * (column > 4)
    return _modulo_10(total)


def _modulo_10(numbers: Ascii) -> Ascii:
    return numbers - numbers // np.uint8(10) * np.uint8(10)


def _digits(ascii_: Ascii, what: str) -> Ascii:
    """The digits, of a card's length, in column-major order for speed. Refuses other rows."""
    if ascii_.shape[1] not in LENGTHS:
        _refuse_first(np.ones(len(ascii_), bool), lambda row: require_digits(_text(ascii_, row), what))
    digits = np.asfortranarray(ascii_ - _NOUGHT)
    if digits.size and digits.max() > 9:
        _refuse_first(np.any(digits > 9, axis=1), lambda row: require_digits(_text(ascii_, row), what))
    return digits


# --- digits and letters ----------------------------------------------------------------------------------------------


def _alphabet(format_: TokenFormat) -> Ascii:
    return np.frombuffer(ALPHABETS[format_].encode(), np.uint8)


def _numerals(format_: TokenFormat, ascii_: Ascii) -> Ascii:
    table = np.full(256, 255, np.uint8)
    table[_alphabet(format_)] = np.arange(len(ALPHABETS[format_]), dtype=np.uint8)
    numerals = np.asfortranarray(table[ascii_])
    length = ascii_.shape[1]
    refuse_text(format_, fits=True, length=length)
    _refuse_first(np.any(numerals == 255, axis=1), lambda row: refuse_text(format_, fits=False, length=length))
    return numerals


def _refuse_cards(ascii_: Ascii, *, reading: bool) -> None:
    if ascii_.shape[1] in LENGTHS:
        digits = ascii_ - _NOUGHT
        for row in np.flatnonzero((digits <= 9).all(axis=1) & (_luhn(digits) == 0)):
            refuse_card(_text(ascii_, int(row)), reading=reading, row=int(row))


# --- rows ------------------------------------------------------------------------------------------------------------


def _on_rows(ascii_: Ascii, act: Act, rows: Sequence[int] | npt.NDArray[np.intp]) -> Ascii:
    """Apply *act*, and number a refused row within the whole batch."""
    try:
        return act(ascii_)
    except TokenRefused as refused:
        refused.row = int(rows[refused.row or 0])
        raise


def _refuse_first(bad: Rows, refuse: Callable[[int], object]) -> None:
    """Refuse the first bad row with the message of the scalar form."""
    if bad.any():
        row = int(bad.argmax())
        with _refusing(row):
            refuse(row)


@contextlib.contextmanager
def _refusing(row: int) -> Iterator[None]:
    try:
        yield
    except TokenRefused as refused:
        refused.row = row
        raise


def _ascii(values: Sequence[str]) -> Ascii:
    """One byte per character. Characters outside of Latin-1 become question marks, which no format accepts either."""
    return np.frombuffer("".join(values).encode("latin-1", "replace"), np.uint8).reshape(len(values), -1)


def _text(ascii_: Ascii, row: int) -> str:
    return str(ascii_[row].tobytes(), "latin-1")


def _texts(ascii_: Ascii) -> list[str]:
    text, length = ascii_.tobytes().decode("ascii"), ascii_.shape[1]
    return [text[at : at + length] for at in range(0, len(text), length)]
