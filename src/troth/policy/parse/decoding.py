"""Decodes a file: by its byte order mark, the encoding that the page declares, or as UTF-8. Nothing is guessed."""

from __future__ import annotations

import codecs
import re

from troth.policy.text import PolicyError

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""<meta\b[^>]{0,200}?\bcharset\s{0,5}=\s{0,5}["']?\s{0,5}([a-z0-9_:.-]{1,40})""", re.I)
_HEAD_BYTES = 4_096

# The encodings that browsers support, under their Python names. On the web, Latin-1 means Windows-1252.
_READ = {
    *("utf-8", "ascii", "utf-16", "koi8-r", "koi8-u", "mac-roman", "shift_jis", "cp932", "euc_jp", "euc_kr"),
    *("gb2312", "gbk", "gb18030", "big5"),
    *(f"cp125{number}" for number in range(9)),
    *(f"iso8859-{number}" for number in range(1, 17)),
}
_MEANT = {"ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "gb2312": "gb18030", "utf-16": "utf-8"}


def decode(data: bytes, *, is_html: bool = False) -> str:
    """The text of *data*, without its byte order mark. Raises `PolicyError` if it is not valid in its encoding."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decoded(data[len(mark) :], encoding, "its first bytes say")
    if is_html and (declared := _DECLARED.search(data, 0, _HEAD_BYTES)):
        name = declared[1].decode("ascii")
        return _decoded(data, _known(name), f"the page declares {name}")
    if b"\0" in data:
        raise PolicyError(
            "the file is not text: it contains bytes that do not occur in text; save the text of the policy as UTF-8"
        )
    return _decoded(data, "utf-8", "no other encoding is declared")


def _known(name: str) -> str:
    try:
        found = codecs.lookup(name).name
    except LookupError:
        found = ""
    if found not in _READ:
        raise PolicyError(f"the page declares the encoding {name}, which is not supported; save it as UTF-8")
    return _MEANT.get(found, found)


def _decoded(data: bytes, encoding: str, because: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PolicyError(f"line {line} cannot be read as {encoding}, which {because}; save it as UTF-8") from None
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
