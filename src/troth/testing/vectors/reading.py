"""Reads untrusted JSON: missing or mistyped fields raise `VectorsUnreadable` with their location."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from troth.errors import TrothError

FILE_BYTES_MAX = 32 * 1024 * 1024


class VectorsUnreadable(TrothError):
    """The file is not test vectors in a supported format; the message names the location."""


def read_json(path: Path) -> Any:
    """Parse the file. Raises `VectorsUnreadable`."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as fault:
        raise VectorsUnreadable(f"cannot be read ({fault.strerror})") from None
    if len(data) > FILE_BYTES_MAX:
        raise VectorsUnreadable(f"larger than {FILE_BYTES_MAX // 1024**2} MiB; cut it into several files")
    try:
        return json.loads(data)
    except json.JSONDecodeError as fault:
        raise VectorsUnreadable(f"not JSON: {fault.msg} at line {fault.lineno}, column {fault.colno}") from None
    except RecursionError:
        raise VectorsUnreadable("not test vectors: nested too deep") from None
    except ValueError as fault:  # not UTF-8, or a number with thousands of digits
        raise VectorsUnreadable(f"not JSON: {str(fault)[:100]}") from None


def shown(text: str) -> str:
    """Untrusted text, escaped and shortened for one line of a terminal."""
    return json.dumps(text)[1:-1][:60]


class JsonFields:
    """One JSON object. *where* is its location in the file, such as ``group 3, test 17``."""

    __slots__ = ("values", "where")

    def __init__(self, values: Any, where: str) -> None:
        if not isinstance(values, dict):
            raise VectorsUnreadable(f"{where} is not an object")
        self.values: dict[str, Any] = values
        self.where = where

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def get(self, name: str, kind: type[Any], words: str) -> Any:
        """The value under *name*, of type *kind*; *words* name the type in errors. Raises `VectorsUnreadable`."""
        if name not in self.values:
            raise VectorsUnreadable(f"{self.where} has no '{name}'")
        value = self.values[name]
        if type(value) is not kind:
            raise VectorsUnreadable(f"{self.where}: '{name}' is not {words}")
        return value

    def text(self, name: str) -> str:
        """The text under *name*."""
        return str(self.get(name, str, "text"))

    def number(self, name: str) -> int:
        """The whole number under *name*."""
        return int(self.get(name, int, "a whole number"))

    def hexadecimal(self, name: str) -> bytes:
        """The bytes under *name*, decoded from hexadecimal."""
        try:
            return bytes.fromhex(self.text(name))
        except ValueError:
            raise VectorsUnreadable(f"{self.where}: '{name}' is not hexadecimal") from None

    def base64(self, name: str) -> bytes:
        """The bytes under *name*, decoded from base64; empty for null."""
        return b"" if self.values.get(name, "") is None else self._unbase64(name, self.text(name))

    def base64s(self, name: str) -> list[bytes]:
        """The list under *name*, decoded from base64; empty for null."""
        if self.values.get(name, "") is None:
            return []
        return [self._unbase64(name, element) for element in self.get(name, list, "a list")]

    def _unbase64(self, name: str, text: Any) -> bytes:
        try:
            return base64.b64decode(text, validate=True)
        except (ValueError, TypeError):
            raise VectorsUnreadable(f"{self.where}: '{name}' is not base64") from None

    def inner(self, name: str) -> JsonFields:
        """The object under *name*."""
        return JsonFields(self.get(name, dict, "an object"), f"{self.where}, '{name}'")

    def each(self, name: str, word: str) -> list[JsonFields]:
        """The objects of the list under *name*; *word* names one of them in locations."""
        around = f"{self.where}, " if self.where != "the file" else ""
        found = self.get(name, list, "a list")
        return [JsonFields(value, f"{around}{word} {at}") for at, value in enumerate(found, start=1)]
