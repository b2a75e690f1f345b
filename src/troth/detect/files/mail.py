"""E-mail as sent and stored: every header and part, decoded and read in its own format."""

from __future__ import annotations

import binascii
import io
import re
from collections.abc import Iterable, Iterator
from typing import Final, Protocol

from troth.detect.files.decoding import Readable, lines_of_bytes
from troth.detect.files.kinds import FileKind, kind_of
from troth.detect.files.mime_headers import Head, from_base64, known_charset
from troth.detect.files.mime_parts import MimePart, letters
from troth.detect.files.results import FileFinding, Remark

_DEPTH_MAX: Final = 5
"""How deeply messages may be nested as encoded parts or attachments."""
_KINDS: Final = {"text/html": FileKind.HTML, "text/csv": FileKind.CSV, "application/json": FileKind.JSON}
_BASE64_LINE: Final = re.compile(rb"^[A-Za-z0-9+/= \t\r]+$", re.M)


class Scan(Protocol):
    """Searches one file for personal data."""

    def __call__(self, stream: Readable, kind: FileKind, *, encoding: str) -> Iterator[FileFinding | Remark]: ...


def in_mail(scan: Scan, encoding: str, lines: Iterable[bytes], *, depth: int = 0) -> Iterator[FileFinding | Remark]:
    """Findings in a message, or in several consecutive ones; *scan* searches each part. *encoding* is for parts that do
    not declare one, and *depth* is the nesting depth of the message."""
    for part in letters(lines):
        if isinstance(part, Remark):
            yield part
            continue
        for it in _in_head(part, scan) if part.is_head else _in_body(part, scan, encoding, depth):
            yield it._replace(part=f"{part.number}.{it.part}" if it.part else part.number)


def _in_head(part: MimePart, scan: Scan) -> Iterator[FileFinding | Remark]:
    for says in part.head.wrong:
        yield Remark(part.line, says, unscanned=True)
    for it in scan(io.BytesIO(part.head.text.encode()), FileKind.TEXT, encoding="utf-8"):
        yield it._replace(line=part.head.lines[it.line - 1])


def _in_body(part: MimePart, scan: Scan, encoding: str, depth: int) -> Iterator[FileFinding | Remark]:
    body, how = part.body, part.head.encoding
    if how == "base64":
        stray = _BASE64_LINE.sub(b"", body)
        if stray.strip():
            yield Remark(part.line, "not all of it is base64: the rest is read as plain text", unscanned=True)
            yield from _placed(scan(io.BytesIO(stray), FileKind.TEXT, encoding=encoding), part, is_as_written=True)
            body = b"".join(_BASE64_LINE.findall(body))
        body = from_base64(body)
    elif how:
        body = binascii.a2b_qp(body)
    yield from _placed(_in_file(body, part.head, scan, encoding, depth), part, is_as_written=not how)


def _in_file(body: bytes, head: Head, scan: Scan, encoding: str, depth: int) -> Iterator[FileFinding | Remark]:
    """Findings in a part, with its own line numbers."""
    kind = _KINDS.get(head.type) or kind_of(head.file_name)
    if (head.is_of_letter and head.encoding) or kind is FileKind.MAIL:
        if depth < _DEPTH_MAX:
            yield from in_mail(scan, encoding, lines_of_bytes(io.BytesIO(body)), depth=depth + 1)
        else:
            yield Remark(1, "it is nested too deeply in other messages", unscanned=True)
        return
    if head.encoding and head.type.startswith("multipart/"):
        yield Remark(1, "its parts are encoded together, which is not allowed: they are not split", unscanned=True)
    try:
        charset = known_charset(head.charset) if head.charset else encoding
    except LookupError:
        charset = "utf-8"
        if not _is_utf8(body):
            yield Remark(1, "its encoding is unknown", unscanned=True)
            return
    yield from scan(io.BytesIO(body), kind, encoding=charset)


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _placed(
    results: Iterable[FileFinding | Remark], part: MimePart, *, is_as_written: bool
) -> Iterator[FileFinding | Remark]:
    """Findings with line numbers of the file; for encoded parts, that of the first line."""
    for it in results:
        line = part.line + (it.line - 1) * is_as_written
        if isinstance(it, Remark):
            yield it._replace(line=line)
        else:
            yield it._replace(line=line, part_line=it.part_line if it.part else it.line)
