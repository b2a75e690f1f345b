#!/usr/bin/env python3
"""Verify a Troth ledger, or a receipt or an archive from one, offline and without trusting its operator.

    python3 verify_troth_ledger.py ledger FOLDER --key KEY [--since FILE] [--hashes-only]
    python3 verify_troth_ledger.py receipt FILE --key KEY [--entry FILE]
    python3 verify_troth_ledger.py archive FILE.zip --key KEY [--since FILE]

This one file needs Python 3.9 or later and nothing else. It shares no code with Troth and uses no network: read it.

``ledger`` hashes every entry of an exported folder as it is stored, rebuilds the tree, and compares it with every tile
of hashes and with the signed checkpoint. With --since, a checkpoint or receipt that you kept from earlier (repeat it
for more), it shows that nothing was changed, dropped or inserted before that. Without the entries, as in a mirror of
the public tiles, --hashes-only checks all the rest.

``receipt`` shows that one entry is in the ledger of the checkpoint that the receipt contains. The entry is in the
receipt, or is given with --entry.

``archive`` shows that every byte of an evidence archive is as the ledger's key signed it: nothing changed, missing or
added. Each entry in it is proved against the archive's checkpoint, which has to continue every earlier one in it. The
history of each promise, each outcome of a check and each retraction must match the entries, and the evidence of a check
must match the commitment in its entry.

KEY is the ledger's verifier key, ``name+id+base64``, or a file with it. Get it from somewhere else than the folder.
With --witness KEY, repeated for more, these witnesses must have cosigned the checkpoint, or --quorum N of them.

Formats: RFC 9162 section 2.1, RFC 8032, C2SP signed-note, tlog-checkpoint, tlog-tiles, tlog-proof, tlog-cosignature.

It ends with 0 when everything holds, 1 when something does not, 2 for wrong usage.
"""

# ruff: noqa: B905, T201 - it prints, and has to run on Python 3.9
from __future__ import annotations

import binascii
import json
import os
import re
import struct
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from hashlib import sha256, sha512
from typing import Any, BinaryIO

FILE_BYTES_MAX = 256 * (2 + 0xFFFF)  # a full bundle of the longest entries; longer files are invalid
RECEIPT_HEAD = "c2sp.org/tlog-proof@v1"
ARCHIVE_HEAD = "troth archive v1"


class Refused(Exception):
    """A check failed; the text says which."""


# --- Ed25519 (RFC 8032, section 5.1), verification only. A point is (X, Y, Z, T) with x = X/Z, y = Y/Z, x*y = T/Z. ----

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]
Options = dict[str, list[str]]  # the command line: each option with its values
Entry = dict[str, str]
Made = tuple[str, str, bytes]  # the entry of a check: control, time, hash
Check = dict[str, Any]


def add(a: Point, b: Point) -> Point:
    """The sum of two points, which may be equal."""
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    x, y, z, t = f - e, f + e, h + g, h - g
    return x * t % P, y * z % P, z * t % P, x * y % P


def decompress(data: bytes) -> Point:
    """The point encoded in 32 bytes: y, and the lowest bit of x as the top bit. Raises ``Refused``."""
    y = int.from_bytes(data, "little")
    y, odd = y & ~(1 << 255), y >> 255
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if x * x % P != x2:
        x = x * ROOT_OF_MINUS_1 % P
    if y >= P or x * x % P != x2 or (x == 0 and odd):
        raise Refused("a public key is no point of the curve")
    if x & 1 != odd:
        x = P - x
    return x, y, 1, x * y % P


BASE = decompress((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def is_signature(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether *signature* is by *key* over *message*: [S]B - [k]A must equal R, bit for bit."""
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or s >= ORDER:
        return False
    x, y, z, t = decompress(key)
    minus_a = (P - x, y, z, P - t)
    k = int.from_bytes(sha512(signature[:32] + key + message).digest(), "little") % ORDER
    table = {"10": BASE, "01": minus_a, "11": add(BASE, minus_a)}
    point = (0, 1, 1, 0)
    for bits in zip(f"{s:0253b}", f"{k:0253b}"):
        point = add(point, point)
        if bits != ("0", "0"):
            point = add(point, table["".join(bits)])
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


# --- keys, signed notes, checkpoints ----------------------------------------------------------------------------------


class Key:
    """A public key under a name. *kind* is 1 for a ledger, 4 for a witness."""

    def __init__(self, name: str, kind: int, public: bytes) -> None:
        self.name, self.kind, self.public = name, kind, public
        self.id = sha256(name.encode("utf-8", "replace") + b"\n" + bytes([kind]) + public).digest()[:4]


class Checkpoint:
    """A statement signed by the ledger's key: its first *size* entries have this *root*."""

    def __init__(self, origin: str, size: int, root: bytes) -> None:
        self.origin, self.size, self.root = origin, size, root


def base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def unbase64(text: str) -> bytes:
    """The bytes of strict base64; empty for anything else."""
    try:
        data = binascii.a2b_base64(text.encode("ascii"))
    except ValueError:
        return b""
    return data if base64(data) == text else b""


def number(text: str) -> int:
    """A whole number without leading zeroes. Raises ``Refused``."""
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or (len(text) > 1 and text[0] == "0"):
        raise Refused("a size or an index is not a whole number")
    return int(text)


def read_key(text: str, kind: int) -> Key:
    """Read ``name+id+base64``, or a file with it."""
    if os.path.isfile(text):
        text = read_text(text)
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    data = unbase64(encoded)
    key = Key(name, data[0] if data else 0, data[1:])
    if not name or key.kind != kind or len(key.public) != 32 or key.id.hex() != key_id:
        raise Refused(f"a key is not whole, or not of type {kind}: it reads name+id+base64, and its id fits the rest")
    return key


def signatures(note: str) -> tuple[bytes, list[tuple[str, bytes]]]:
    """The signed text, and each signature, after its key's id, with its name. A receipt ends with the note."""
    note = note.partition("\n\n")[2] if note.startswith(RECEIPT_HEAD) else note
    head, separator, lines = note.rpartition("\n\n")
    if not separator or not lines.endswith("\n") or any(c < " " and c != "\n" for c in note):
        raise Refused("this is not a signed note: a text, an empty line, and signatures")
    found = []
    for line in lines[:-1].split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        signature = unbase64(encoded)
        if dash != "—" or not name or len(signature) < 5:
            raise Refused("a signature of the note is not a dash, a name and base64")
        found.append((name, signature))
    return (head + "\n").encode(), found


def open_checkpoint(note: str, key: Key) -> Checkpoint:
    """The checkpoint in *note*, after checking the signature of *key*. Raises ``Refused``."""
    text, found = signatures(note)
    own = {signature[4:] for name, signature in found if name == key.name and signature[:4] == key.id}
    if not own or not all(is_signature(key.public, text, signature) for signature in own):
        raise Refused(f"the checkpoint is not signed by {key.name}+{key.id.hex()}, or was changed since")
    origin, size, root, *_ = [*text.decode().split("\n"), "", ""]
    if origin != key.name or len(unbase64(root)) != 32:
        raise Refused(f"the signed note is not a checkpoint of {key.name}: its name, a size and a root, a line each")
    return Checkpoint(origin, number(size), unbase64(root))


def require_witnesses(note: str, options: Options) -> list[str]:
    """The witnesses that cosigned, and when. Raises ``Refused`` if they are fewer than --quorum, or than all."""
    (text, found), said = signatures(note), list[str]()
    witnesses = [read_key(witness, 4) for witness in options["--witness"]]
    if len({witness.public for witness in witnesses}) < len(witnesses):
        raise Refused("the same witness is named twice")
    quorum = number(options["--quorum"][0]) if options["--quorum"] else len(witnesses)
    for witness in witnesses:
        for name, signature in found:
            if name == witness.name and signature[:4] == witness.id:
                at = int.from_bytes(signature[4:12], "big")
                message = b"cosignature/v1\ntime %d\n" % at + text
                if at >= 1 << 63 or not is_signature(witness.public, message, signature[12:]):
                    raise Refused(f"the cosignature of {name} is wrong")
                said.append(f"cosigned by {name} at {at} seconds since 1970")
                break
    if len(said) < quorum:
        raise Refused(f"{len(said)} of the witnesses cosigned the checkpoint, and {quorum} are required")
    return said


# --- the tree (RFC 9162, section 2.1) ---------------------------------------------------------------------------------


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def peaks(hashes: list[bytes]) -> list[bytes]:
    """The roots of the complete subtrees of *hashes*, the rightmost and smallest first."""
    found, level = list[bytes](), hashes
    while level:
        found += level[-1:] if len(level) & 1 else []
        level = [sha256(b"\x01" + a + b).digest() for a, b in zip(level[::2], level[1::2])]
    return found


def root_of(edges: list[list[bytes]]) -> bytes:
    """The root of a tree, from the hashes of the partial tile at each level, the leaves' first."""
    root = b""
    for hashes in edges:
        for peak in peaks(hashes):
            root = node(peak, root) if root else peak
    return root or sha256().digest()


def require_inclusion(leaf: bytes, index: int, proof: list[bytes], signed: Checkpoint) -> None:
    """Raises ``Refused`` unless *proof* leads from *leaf* to the signed root (section 2.1.3.2)."""
    if index >= signed.size:
        raise Refused(f"the checkpoint has {signed.size} entries, and none is number {index}")
    at, last, running = index, signed.size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise Refused("the proof is too long")
        if at & 1 or at == last:
            running = node(sibling, running)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            running = node(running, sibling)
        at, last = at >> 1, last >> 1
    if last or running != signed.root:
        raise Refused("this entry is not the one in the ledger: the proof leads to another root")


def require_consistency(old: Checkpoint, proof: list[bytes], new: Checkpoint) -> None:
    """Raises ``Refused`` unless *proof* shows that the tree of *new* begins with that of *old* (section 2.1.4.2)."""
    size, last = old.size - 1, new.size - 1
    is_node = old.size in (old.size & -old.size, new.size)  # a complete subtree is itself the proof's first node
    path = [old.root, *proof] if is_node else proof
    while size & 1 or size == last > 0:
        size, last = size >> 1, last >> 1
    first = second = path[0] if path and old.size else b""
    for sibling in path[1:]:
        if not last:
            raise Refused("the proof is too long")
        if size & 1 or size == last:
            first, second = node(sibling, first), node(sibling, second)
            while size and not size & 1:
                size, last = size >> 1, last >> 1
        else:
            second = node(second, sibling)
        size, last = size >> 1, last >> 1
    if last or [first, second] != [old.root, new.root]:
        raise Refused(
            f"the ledger does not begin with the {old.size} entries of an earlier checkpoint: it was rewritten"
        )


# --- a folder (C2SP tlog-tiles) ---------------------------------------------------------------------------------------


def read(path: str) -> bytes | None:
    """The content of a file, None if there is none."""
    if not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        return file.read(FILE_BYTES_MAX)


def read_text(path: str) -> str:
    data = read(path)
    if data is None:
        raise Refused(f"{path} is missing")
    return data.decode("utf-8", "replace")


def tile(folder: str, level: str, index: int, width: int) -> tuple[str, bytes]:
    """The name and content of a tile or bundle. A full one replaces a partial one, which is its beginning."""
    name, above = f"{index % 1000:03d}", index // 1000
    while above:
        name, above = f"x{above % 1000:03d}/{name}", above // 1000
    name = f"tile/{level}/{name}"
    stored = (read(f"{folder}/{name}.p/{width}") if width < 256 else None) or read(f"{folder}/{name}")
    if stored is None:
        raise Refused(f"{name} is missing from the folder")
    return name, stored


def hash_bundle(name: str, bundle: bytes, first: int, width: int) -> list[bytes]:
    """The leaf hashes of the entries in a bundle: each entry is preceded by its length, in two bytes."""
    leaves, at, end = list[bytes](), 0, len(bundle)
    while at < end and len(leaves) < width:
        start = at + 2
        at = start + int.from_bytes(bundle[at:start], "big")
        leaves.append(sha256(b"\x00" + bundle[start:at]).digest())
    if at > end or len(leaves) < width or (width == 256 and at < end):
        raise Refused(f"{name} holds too few or too many bytes for its entries; see entry {first + len(leaves)}")
    return leaves


def require_tile(folder: str, level: int, index: int, hashes: list[bytes]) -> None:
    """Raises ``Refused`` unless the stored tile holds *hashes*."""
    name, stored = tile(folder, str(level), index, len(hashes))
    right = b"".join(hashes)
    if stored[: len(right)] != right or len(stored) not in (len(right), 32 * 256):
        bad = next((at for at, value in enumerate(hashes) if stored[at * 32 : at * 32 + 32] != value), len(hashes))
        first = (index * 256 + bad) * 256**level
        raise Refused(f"the entries and {name} disagree from entry {first} on: one of them was changed")


def verify_folder(folder: str, signed: Checkpoint, sizes: list[int], hashes_only: bool) -> dict[int, bytes]:
    """Rebuild the tree from the stored files; returns its roots at *sizes*. Raises ``Refused``."""
    edges, roots, first = [list[bytes]()], dict[int, bytes](), 0
    while first < signed.size:
        width = min(256, signed.size - first)
        name, stored = tile(folder, "0" if hashes_only else "entries", first // 256, width)
        if hashes_only:
            leaves = [stored[at : at + 32] for at in range(0, 32 * width, 32)]
        else:
            leaves = hash_bundle(name, stored, first, width)
        require_tile(folder, 0, first // 256, leaves)
        for size in (size for size in sizes if first < size <= first + width):
            roots[size] = root_of([leaves[: size - first], *edges[1:]])
        edges[0], first, level = leaves, first + width, 0
        while len(edges[level]) == 256:
            if level:
                require_tile(folder, level, first // 256 ** (level + 1) - 1, edges[level])
            if level + 1 == len(edges):
                edges.append([])
            edges[level + 1].extend(peaks(edges[level]))
            edges[level], level = [], level + 1
    for level, hashes in enumerate(edges[1:], start=1):
        if hashes:
            require_tile(folder, level, first // 256 ** (level + 1), hashes)
    if root_of(edges) != signed.root:
        raise Refused("the entries do not lead to the signed root: they were rewritten after it was signed")
    return roots


# --- an archive: a ZIP of stored files, whose every byte is determined ------------------------------------------------

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


class Archive:
    """The files of an archive, after checking every byte outside of them. Raises ``Refused``.

    ``files`` has the start, the size and the SHA-256 of each, in their order."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.files = file, dict[str, tuple[int, int, str]]()
        end = file.seek(0, 2)
        tail = self.at(max(0, end - 22), 22)
        if len(tail) < 22:
            raise Refused("this is not a whole archive: it does not end as one")
        count, size, begin = struct.unpack("<H2L", tail[10:20])
        if begin + size + 22 != end or size > 400 * count:
            raise Refused("this is not a whole archive: something was cut off, or put in")
        directory, entry, start = self.at(begin, size), 0, 0
        for _ in range(count):
            crc, length, _, width = struct.unpack("<3LH", directory[entry + 16 : entry + 30].ljust(14, b"\0"))
            name = directory[entry + 46 : entry + 46 + width].decode("ascii", "replace")
            if not NAME.fullmatch(name) or name in self.files:
                raise Refused("a name in the archive's directory is none, or stands there twice")
            head, listed = headers(name, crc, length, start)
            if self.at(start, len(head)) != head or directory[entry : entry + len(listed)] != listed:
                raise Refused(f"what the archive says of {name} is not as it was written")
            entry, start = entry + len(listed), start + len(head)
            found, digest = self.sums(start, length)
            if found != crc:
                raise Refused(f"{name} is not as it was written")
            self.files[name] = start, length, digest
            start += length
        if (start, entry) != (begin, size) or tail != headers_end(count, size, begin):
            raise Refused("the archive's directory is not as it was written")

    def at(self, start: int, size: int) -> bytes:
        self.file.seek(start)
        return self.file.read(size)

    def pieces(self, start: int, left: int) -> Iterator[bytes]:
        while left > 0:
            piece = self.at(start, min(1 << 20, left))
            if not piece:
                raise Refused("a file of the archive is cut off")
            yield piece
            start, left = start + len(piece), left - len(piece)

    def sums(self, start: int, size: int) -> tuple[int, str]:
        """CRC-32 and SHA-256."""
        crc, digest = 0, sha256()
        for piece in self.pieces(start, size):
            crc = binascii.crc32(piece, crc)
            digest.update(piece)
        return crc, digest.hexdigest()

    def find(self, name: str) -> tuple[int, int, str]:
        if name not in self.files:
            raise Refused(f"{name} is missing from the archive")
        return self.files[name]

    def read(self, name: str) -> bytes:
        return b"".join(self.pieces(*self.find(name)[:2]))

    def lines(self, name: str) -> Iterator[bytes]:
        rest = b""
        for piece in self.pieces(*self.find(name)[:2]):
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole


def headers(name: str, crc: int, size: int, start: int) -> tuple[bytes, bytes]:
    """The required header of a file, and its directory record: stored, of 1980, readable, with nothing else."""
    fixed = b"\x14" + bytes(7) + b"\x21\0" + struct.pack("<3LH", crc, size, size, len(name)) + bytes(2)
    more = bytes(6) + struct.pack("<2L", 0o100644 << 16, start)
    return b"PK\3\4" + fixed + name.encode(), b"PK\1\2\x14\3" + fixed + more + name.encode()


def headers_end(count: int, size: int, begin: int) -> bytes:
    return struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, size, begin, 0)


def require_manifest(opened: Archive, key: Key) -> None:
    """Raises ``Refused`` unless *key* signed the manifest, and the manifest names exactly the archive's files."""
    note, (_, _, digest) = opened.read("manifest.note").decode("utf-8", "replace"), opened.find("manifest.json")
    text, found = signatures(note)
    if text != f"{ARCHIVE_HEAD}\nsha256 {digest}\n".encode():
        raise Refused("the manifest is not the one that was signed")
    if [(name, signed[:4]) for name, signed in found] != [(key.name, key.id)]:
        raise Refused(f"the archive is not signed by {key.name}+{key.id.hex()}, and by nobody else")
    if not is_signature(key.public, text, found[0][1][4:]):
        raise Refused("the signature under the manifest is wrong")
    named = {
        each["name"]: (each["bytes"], each["sha256"]) for each in json.loads(opened.read("manifest.json"))["files"]
    }
    if [*named, "manifest.json", "manifest.note"] != list(opened.files):
        raise Refused("the archive does not hold the files of its manifest, in their order, and no others")
    for name, signed in named.items():
        if opened.files[name][1:] != signed:
            raise Refused(f"{name} is not the file that was signed")


# --- the three commands -----------------------------------------------------------------------------------------------


def ledger(folder: str, options: Options) -> list[str]:
    """Verify a folder; returns the findings, line by line."""
    key = read_key((options["--key"] or [f"{folder}/verifier-key.txt"])[0], 1)
    note = read_text(f"{folder}/checkpoint")
    signed, cosigned = open_checkpoint(note, key), require_witnesses(note, options)
    kept = [(path, open_checkpoint(read_text(path), key)) for path in options["--since"]]
    for path, then in kept:
        if then.size > signed.size:
            raise Refused(f"{path} shows {then.size} entries, and {signed.size} are left: the ledger was rolled back")
    roots = verify_folder(folder, signed, [then.size for _, then in kept], bool(options["--hashes-only"]))
    for path, then in kept:
        if then.size and roots[then.size] != then.root:
            raise Refused(f"the first {then.size} entries were rewritten: they are not those of {path}")
    source = f"{key.name}+{key.id.hex()}, TAKEN FROM THE FOLDER; compare it with the one that was published"
    return [
        f"verified: {signed.size} {'hashes; no entry was looked at' if options['--hashes-only'] else 'entries'}",
        f"ledger: {signed.origin}, root {base64(signed.root)}",
        *cosigned,
        *(f"begins with: the {then.size} entries of {path}" for path, then in kept),
        *([] if options["--key"] else [f"key: {source}"]),
    ]


def receipt(path: str, options: Options) -> list[str]:
    """Verify a receipt; returns the findings, line by line."""
    key, text = read_key(options["--key"][0], 1), read_text(path)
    lines = [*text.partition("\n\n")[0].split("\n"), ""]
    extra = lines.pop(1)[6:] if lines[1].startswith("extra ") else ""
    proof = [unbase64(line) for line in lines[2:-1]]
    if [lines[0], lines[1][:6]] != [RECEIPT_HEAD, "index "] or any(len(value) != 32 for value in proof):
        raise Refused(f"{path} is not a receipt: it does not read as {RECEIPT_HEAD} says")
    entry = read(options["--entry"][0]) if options["--entry"] else unbase64(extra)
    if entry is None:
        raise Refused(f"{options['--entry'][0]} is missing, or no file")
    if not entry.startswith(b"troth"):
        raise Refused("the receipt carries no entry, or the file holds none; name the one with its bytes: --entry FILE")
    index, signed = number(lines[1][6:]), open_checkpoint(text, key)
    require_inclusion(sha256(b"\x00" + entry).digest(), index, proof, signed)
    verified = f"verified: entry {index} of {signed.origin}, which had {signed.size} entries"
    return [verified, f"entry: {entry.decode('ascii', 'replace')}", *require_witnesses(text, options)]


def archive(path: str, options: Options) -> list[str]:
    """Verify an evidence archive; returns the findings, line by line."""
    with open(path, "rb") as file:
        opened = Archive(file)
        own = opened.read("ledger/verifier-key.txt").decode("ascii", "replace")
        key = read_key((options["--key"] or [own])[0], 1)
        require_manifest(opened, key)
        note = opened.read("ledger/checkpoint").decode("utf-8", "replace")
        signed, cosigned = open_checkpoint(note, key), require_witnesses(note, options)
        made = dict[int, Made]()
        entries = require_entries(opened, signed, made)
        count, compared = len(entries) + len(made), require_histories(opened, entries)
        require_retractions(opened, entries)
        evidence = require_checks(opened, entries, made)
        earlier = {signed.size: signed, **continued(opened, signed, key)}
        files = len(opened.files)
    kept = [(name, open_checkpoint(read_text(name), key)) for name in options["--since"]]
    for name, then in kept:
        if then.size not in earlier:
            raise Refused(f"the archive cannot show that the ledger begins with the {then.size} entries of {name}")
        if earlier[then.size].root != then.root:
            raise Refused(f"the first {then.size} entries were rewritten: they are not those of {name}")
    source = f"{key.name}+{key.id.hex()}, TAKEN FROM THE ARCHIVE; compare it with the one that was published"
    return [
        f"verified: {files} files as they were signed, and {count} entries of the ledger",
        f"compared: {compared} changes of status and the outcomes of all checks, as entries tell of them"
        if count
        else "NOTHING IS SHOWN of when and how a promise was kept: the archive holds no entry",
        *evidence,
        f"ledger: {signed.origin}, which had {signed.size} entries, root {base64(signed.root)}",
        *cosigned,
        *(f"begins with: the {then.size} entries of {name}" for name, then in kept),
        *([] if options["--key"] else [f"key: {source}"]),
    ]


def require_entries(opened: Archive, signed: Checkpoint, made: dict[int, Made]) -> dict[int, Entry]:
    """The entries in the archive by number, each proved to be in the ledger. Those of checks go, reduced, to *made*."""
    found = dict[int, Entry]()
    for line in opened.lines("ledger/entries.jsonl"):
        told = json.loads(line)
        entry, proof = unbase64(told["entry"]), [unbase64(each) for each in told["proof"]]
        leaf, told_of = sha256(b"\x00" + entry).digest(), json.loads(entry.partition(b" ")[2])
        require_inclusion(leaf, told["leaf"], proof, signed)
        if told_of["kind"] == "check.made":
            made[told["leaf"]] = sys.intern(told_of["control"]), told_of["at"], leaf
        else:
            found[told["leaf"]] = told_of
    return dict(sorted(found.items()))


def cut(moment: str) -> str:
    """A time in the archive, 2026-11-24T09:41:00.123456+00:00, in the form of an entry."""
    if not moment.endswith("+00:00"):
        raise Refused("a moment of the archive is not in UTC")
    whole, _, part = moment[:-6].partition(".")
    return f"{whole}.{part[:3]:0<3}Z"


def named(text: str) -> str:
    """A declared name in the form of an entry: an unusual one as part of its hash."""
    plain_name = r"(?!.*[0-9]{6})[A-Za-z_][A-Za-z0-9_]*([.-][A-Za-z0-9_]+){0,7}|~[0-9a-f]{24}"
    is_plain = len(text) <= 160 and re.fullmatch(plain_name, text)
    return text if is_plain else "~" + sha256(text.encode()).hexdigest()[:24]


def require_histories(opened: Archive, entries: dict[int, Entry]) -> int:
    """The number of changes in the promises' histories, after checking that they match the entries exactly."""
    count, changes = 0, {leaf: entry for leaf, entry in entries.items() if entry["kind"] == "promise.changed"}
    for promise in json.loads(opened.read("promises.json")) if "promises.json" in opened.files else []:
        name = named(promise["quote"])
        for it in promise["history"]:
            count, entry = count + 1, changes.pop(it["leaf"], {})
            says = (name, it["before"] or "none", it["status"], cut(it["at"]), it["control"] and named(it["control"]))
            if says != tuple(map(entry.get, ("promise", "before", "after", "at", "control"))):
                raise Refused(f"{promise['id']}: entry {it['leaf']} of the ledger does not tell of its change as it is")
        missing = [leaf for leaf, entry in changes.items() if entry["promise"] == name]
        if missing:
            raise Refused(f"{promise['id']}: its history leaves out the change that entry {missing[0]} tells of")
    return count


def require_checks(opened: Archive, entries: dict[int, Entry], made: dict[int, Made]) -> list[str]:
    """The findings about the checks: with their evidence they match the entries in *made*, or are older than those.
    Entries left in *made* are of checks that were disposed of; raises ``Refused`` for any other."""
    first, counts, said = dict[str, str](), {"whole": 0, "older": 0}, list[str]()
    disposed = max((entry["before"] for entry in entries.values() if entry["kind"] == "evidence.disposed"), default="")
    for control, at, _ in made.values():
        first[control] = min(at, first.get(control, at))
    for name in (name for name in opened.files if name.startswith("checks/")):
        for check in checks_with_outcomes(opened, name, entries, disposed):
            counts[require_made(check, made, first.get(named(check["control"]), "~"))] += 1
    for control, at, _ in made.values():
        if at[:10] > disposed:
            raise Refused(f"{control}: the ledger tells of a check of {at} that is not in the archive")
    if whole := counts["whole"]:
        said.append(
            f"evidence: {whole} checks with all that they saw, as it was put into the ledger when they were made"
        )
    if older := counts["older"]:
        said.append(f"evidence: {older} older checks are signed in this archive only")
    if made:
        said.append(f"evidence: {len(made)} checks were disposed of after their time; their entries stay")
    return said


def checks_with_outcomes(opened: Archive, name: str, entries: dict[int, Entry], disposed: str) -> Iterator[Check]:
    """The checks of a control, after comparing each outcome, and each change of it, with the entries."""
    control, since = name[len("checks/") : -len(".jsonl")], json.loads(opened.read("manifest.json")).get("since") or ""
    told = [it for it in entries.values() if it["kind"] == "check.changed" and it["control"] == named(control)]
    missing = {(it["at"], it["after"]) for it in told if it["at"][:10] > disposed}
    standing, left = told[0]["before"] if told else "", told[::-1]
    for check in map(json.loads, opened.lines(name)):
        at = cut(check["at"])
        while left and left[-1]["at"] <= at:
            standing = left.pop()["after"]
        if at >= since:
            standing = standing or check["outcome"]
            if check["outcome"] != standing:
                raise Refused(f"{control}: the check of {at} says {check['outcome']}, and the ledger {standing}")
        missing.discard((at, check["outcome"]))
        yield check
    if missing:
        raise Refused(f"{control}: the ledger tells of a check of {min(missing)[0]} that is not in the archive")


def require_made(check: Check, made: dict[int, Made], first: str) -> str:
    """Remove this check's entry from *made* after checking its evidence. A check before the *first* is older."""
    at, recorded, _ = cut(check["at"]), check.pop("recorded", None), check.pop("retracted")
    if recorded is None and at < first:
        return "older"
    if recorded is None:
        raise Refused(f"{check['control']}: no entry of the ledger tells of the check of {at}")
    if made.pop(recorded["leaf"], ("", "", b""))[2] != leaf_of(check, bytes.fromhex(recorded["salt"])):
        raise Refused(f"{check['control']}: the check of {at} is not as it was put into the ledger")
    return "whole"


def leaf_of(check: Check, salt: bytes) -> bytes:
    """The leaf hash of the entry for a check with that salt."""
    text = json.dumps(check, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    entry = {
        "at": cut(check["at"]),
        "control": named(check["control"]),
        "evidence": commitment("check.made/evidence", text, salt),
        "kind": "check.made",
        "outcome": check["outcome"],
    }
    return sha256(b"\x00troth1 " + json.dumps(entry, separators=(",", ":")).encode()).digest()


def commitment(about: str, text: str, salt: bytes) -> str:
    """The commitment that an entry holds of a text outside of it."""
    parts = [b"troth/commitment/1", salt, about.encode(), text.encode("utf-8", "surrogatepass")]
    return "cm1:" + sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).hexdigest()


def require_retractions(opened: Archive, entries: dict[int, Entry]) -> None:
    """Raises ``Refused`` unless the retractions since the archive's beginning equal the entries, with reasons."""
    missing = {leaf: entry for leaf, entry in entries.items() if entry["kind"] == "check.retracted"}
    since = json.loads(opened.read("manifest.json")).get("since") or ""
    for it in json.loads(opened.read("retractions.json")) if "retractions.json" in opened.files else []:
        salt = unbase64(json.loads(it["opening"].partition(" ")[2])["salt"])
        reason = commitment("check.retracted/reason", it["because"], salt)
        last = str(date.fromisoformat(it["until"][:10]) - timedelta(days=1))
        says = (named(it["control"]), cut(it["at"]), it["since"][:10], last, it["checks"], reason)
        told = missing.pop(it["leaf"], {})
        entry = map(told.get, ("control", "at", "since", "until", "checks", "reason"))
        if cut(it["at"]) >= since and says != tuple(entry):
            raise Refused(f"{it['control']}: entry {it['leaf']} of the ledger does not tell of its retraction as it is")
    for leaf, told in missing.items():
        raise Refused(f"{told['control']}: entry {leaf} of the ledger tells of a retraction that is not in the archive")


def continued(opened: Archive, signed: Checkpoint, key: Key) -> dict[int, Checkpoint]:
    """The earlier checkpoints in the archive, by size, after checking that the *signed* one continues each of them."""
    found = dict[int, Checkpoint]()
    for line in opened.lines("ledger/earlier.jsonl"):
        told = json.loads(line)
        then = open_checkpoint(told["checkpoint"], key)
        require_consistency(then, [unbase64(each) for each in told["proof"]], signed)
        found[then.size] = then
    return found


COMMANDS = {"ledger": ledger, "receipt": receipt, "archive": archive}


def plain(line: str) -> str:
    """*line* without characters that could control a terminal."""
    return "".join(c if " " <= c <= "~" else "?" for c in line)


def asked(words: list[str]) -> Options | None:
    """The options of a command with their values, None for wrong usage."""
    known = {"ledger": ["--since", "--hashes-only"], "receipt": ["--entry"], "archive": ["--since"]}
    own = known.get(words[0], [])
    options, rest = {name: list[str]() for name in ("--key", "--witness", "--quorum", *own)}, iter(words[2:])
    for name in rest:
        value = "yes" if name == "--hashes-only" else next(rest, "")
        if not value or name not in options or (options[name] and name not in ("--since", "--witness")):
            return None
        options[name].append(value)
    return options if own and (options["--key"] or words[0] != "receipt") else None


def main() -> None:
    """Run the command line, and exit as the text at the top says."""
    words = sys.argv[1:]
    options = asked(words) if len(words) > 1 else None
    if options is None:
        helped = words[:1] in (["--help"], ["-h"])
        print((__doc__ or "").strip(), file=sys.stdout if helped else sys.stderr)
        sys.exit(0 if helped else 2)
    try:
        found = COMMANDS[words[0]](words[1], options)
    except (Refused, OSError) as why:
        print(plain(f"NOT VERIFIED: {why}"), file=sys.stderr)
        sys.exit(1)
    except (ValueError, KeyError, TypeError, RecursionError):  # signed, but malformed
        print("NOT VERIFIED: a file of the archive does not read as this program knows it", file=sys.stderr)
        sys.exit(1)
    try:
        print("\n".join(map(plain, found)), flush=True)
    except BrokenPipeError:  # the reader closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
