"""``troth ledger``: shows, verifies and exports the record of actions."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from troth.cli import deployment as cli
from troth.errors import TrothError
from troth.text import counted

if TYPE_CHECKING:
    from troth.ledger import LogReader, Verifier
    from troth.service.core.ledger import DatabaseLog

_BUNDLE = 256
_FILE_BYTES_MAX = 1_000_000


@click.group()
def ledger() -> None:
    """Show, verify and export the ledger of all actions.

    It is append-only and contains no personal data: only kinds, numbers, dates, and pseudonyms of people that nobody
    can compute without this deployment's key.

    \b
    Example:  troth ledger show --email ann@example.org
              troth ledger verify --checkpoint last-month.txt
              troth ledger export /mnt/auditor
    """


_ledger_options = cli.options(
    cli.wanted_declaration_option,
    click.option(
        "--folder",
        type=cli.FOLDER,
        help="An exported ledger in a folder instead of the one in Troth's own database; only the signed part.",
    ),
    click.option("--key", help="With --folder: its verifier key, or a file with it.  [default: our own]"),
    cli.json_option,
)
_subject_options = cli.options(
    click.option("--email", help="About the person whose request gave this e-mail address."),
    click.option("--phone", help="About the person whose request gave this phone number."),
    click.option(
        "--id", "ids", multiple=True, metavar="SYSTEM.TABLE=KEY", help="About the person whose request gave this row."
    ),
)


@ledger.command()
@_ledger_options
@_subject_options
@click.option("--kind", help="Only this kind, such as subject.erased, or this group of kinds, such as subject.")
@click.option("--since", type=cli.DAY, help="Only from this day on, in UTC.")
@click.option("--until", type=cli.DAY, help="Only up to the end of this day, in UTC.")
@click.option(
    "--last",
    default=50,
    show_default=True,
    type=click.IntRange(1),
    help="Maximum number of entries; the latest are shown.",
)
def show(
    declaration: Path,
    folder: Path | None,
    key: str | None,
    kind: str | None,
    since: dt.datetime | None,
    until: dt.datetime | None,
    last: int,
    as_json: bool,
    **subject: Any,
) -> None:
    """Show the latest entries that match.

    A person is found by the same identifiers as in the request: an erasure by e-mail address and phone number is found
    by both together, but not by one of them alone.

    \b
    Example:  troth ledger show --kind subject --since 2026-11-01
              troth ledger show --email ann@example.org --json
    """
    about = _pseudonym(**subject)
    log = _opened(declaration, folder, key)
    if kind is not None:
        _require_kind(kind)
    days = (since.date().isoformat() if since else "", until.date().isoformat() if until else "9999")
    found = [(leaf, _read(leaf, stored)) for leaf, stored in _latest(log, last, kind, days, about)]
    waiting = _waiting(log)
    if as_json:
        entries = [{"leaf": leaf, **entry} for leaf, entry in found]
        cli.print_json({"size": log.size, "waiting": waiting, "entries": entries})
        return
    for leaf, entry in found:
        at, kind_, fields = entry.pop("at"), entry.pop("kind"), " ".join(_field(*item) for item in entry.items())
        click.echo(f"{leaf:>8}  {at[:10]} {at[11:19]}  {kind_:20} {cli.printable(fields)}".rstrip())
    later = f"; {waiting} more are committed and get their numbers in the next pass of troth keep" if waiting else ""
    click.echo(f"{len(found):,} shown, of {counted(log.size, 'entry', 'entries')}{later}")


@ledger.command()
@_ledger_options
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    type=cli.EXISTING_FILE,
    metavar="FILE",
    help="An earlier checkpoint or receipt: the ledger must begin with the entries that it signed. Repeatable.",
)
def verify(
    declaration: Path, folder: Path | None, key: str | None, checkpoints: tuple[Path, ...], as_json: bool
) -> None:
    """Rehash every stored entry, and compare with all tiles, the signed checkpoint, and the last cosigned one.

    By itself this detects changes made without the signing key. Someone with the key can rewrite history and sign it
    again; only a checkpoint or receipt that was kept elsewhere reveals that. Exits with 1 if anything differs.

    \b
    Example:  troth ledger verify
              troth ledger verify --checkpoint ann.tlog-proof
              troth ledger verify --folder /mnt/auditor --key example.org/troth+42c073cb+AT…
    """
    from troth.ledger import require_begins_with, signed_in

    log = _opened(declaration, folder, key)
    kept = [(path, signed_in(_text(path), log.verifier)) for path in checkpoints]
    note = log.cosigned()
    cosigned = signed_in(note, log.verifier) if note else None
    from troth.cli import formatting

    with formatting.progress_bar("verifying", log.size) as tell:
        log.verify(tell)
        if cosigned:
            require_begins_with(log, cosigned, "the cosigned checkpoint")
        for path, earlier in kept:
            require_begins_with(log, earlier, str(path))
    size, root = log.size, log.root().hex()
    facts = {
        "size": size,
        "root": root,
        "key": str(log.verifier),
        "begins_with": [{"file": str(path), "size": earlier.size} for path, earlier in kept],
        "cosigned": cosigned.size if cosigned else None,
        "waiting": _waiting(log),
    }
    begins = [(cosigned.size, "that witnesses cosigned")] if cosigned else []
    begins += [(earlier.size, f"of {path}") for path, earlier in kept]
    cli.answer(
        facts,
        f"{counted(size, 'entry', 'entries')} verified, root {root}",
        *(f"begins with the {counted(count, 'entry', 'entries')} {which}" for count, which in begins),
        as_json=as_json,
    )


@ledger.command()
@_ledger_options
@_subject_options
@click.argument("leaf", required=False, type=click.IntRange(0))
@click.option(
    "--out",
    type=cli.FOLDER,
    metavar="DIR",
    help="Write each receipt to DIR as NUMBER.tlog-proof.",
)
def receipt(
    declaration: Path,
    folder: Path | None,
    key: str | None,
    leaf: int | None,
    out: Path | None,
    as_json: bool,
    **subject: Any,
) -> None:
    """Prove that an entry is in the ledger: by its number, or all entries about a person.

    A receipt is a C2SP tlog-proof that includes the entry. It contains the current checkpoint, so its holder can detect
    if history is rewritten later.

    \b
    Example:  troth ledger receipt 41 > 41.tlog-proof
              troth ledger receipt --email ann@example.org --out ann/
    """
    about = _pseudonym(**subject)
    if (leaf is None) == (about is None):
        raise click.UsageError("give the number of an entry, or a person: --email, --phone, --id")
    if leaf is None and out is None and not as_json:
        raise click.UsageError("a person may have many receipts: give --out DIR for them")
    log = _opened(declaration, folder, key)
    leaves = [leaf] if leaf is not None else [found for found, _ in _latest(log, log.size, None, ("", "9999"), about)]
    if not leaves:
        raise TrothError("the ledger has no entry about this person under these identifiers")
    receipts = [(number, _receipt(log, number)) for number in leaves]
    files = {number: str(out / f"{number}.tlog-proof") for number in leaves} if out else {}
    for number, file in files.items():
        _write(Path(file), dict(receipts)[number])
    if as_json:
        cli.print_json([{"leaf": number, "file": files.get(number), "receipt": text} for number, text in receipts])
    else:
        click.echo("\n".join(files.values()) if files else receipts[0][1], nl=bool(files))


@ledger.command()
@_ledger_options
@click.argument("target", metavar="DIR", type=cli.FOLDER)
def export(declaration: Path, folder: Path | None, key: str | None, target: Path, as_json: bool) -> None:
    """Write the ledger into DIR as static files, for an auditor or a web server.

    DIR gets all entries, the hash tiles, the checkpoint, the verifier key, and verify_troth_ledger.py, which verifies
    everything with only Python; any C2SP client can read it, too. An earlier export is continued, or refused if the
    ledger no longer begins with it. Give the verifier key to its readers through another channel.

    \b
    Example:  troth ledger export /mnt/auditor
              python3 /mnt/auditor/verify_troth_ledger.py ledger /mnt/auditor --key KEY
    """
    from troth.ledger import export as write

    log = _opened(declaration, folder, key)
    from troth.cli import formatting

    with formatting.progress_bar("exporting", log.size) as tell:
        signed = write(log, target, tell, beside={} if folder else _timestamps())
    facts = {"folder": str(target), "ledger": signed.origin, "size": signed.size, "key": str(log.verifier)}
    message = f"{counted(signed.size, 'entry', 'entries')} of {signed.origin} exported to {target}"
    cli.answer(facts, message, f"verifier key: {facts['key']}", as_json=as_json)


@ledger.command()
@cli.wanted_declaration_option
@cli.json_option
def rebuild(declaration: Path, as_json: bool) -> None:
    """Rebuild the hash tiles from the entries, if a tile was damaged.

    Tiles are derived from the entries. Nothing is signed, and nothing is changed if the entries do not match the last
    signed checkpoint; in that case restore the newest backup of the database.

    \b
    Example:  troth ledger rebuild
    """
    log = _own(declaration)
    size = log.rebuild()
    message = f"the tiles over {counted(size, 'entry', 'entries')} were rebuilt, root {log.root().hex()}"
    cli.answer({"size": size, "root": log.root().hex()}, message, as_json=as_json)


# --- open a ledger --------------------------------------------------------------------------------------------------


def _opened(declaration: Path, folder: Path | None, key: str | None) -> LogReader:
    from troth.ledger import PublishedLog

    if folder is not None:
        return PublishedLog(folder, _verifier(folder, key))
    if key is not None:
        raise click.UsageError("--key can only be used with --folder: our own ledger is verified with our own key")
    return _own(declaration)


def _own(declaration: Path) -> DatabaseLog:
    from troth.declaration import load

    if not declaration.exists():
        raise click.UsageError(f"there is no declaration at {declaration}; name yours with -d, or give --folder")
    organisation = load(declaration).organisation
    keyring = cli.keyring()
    cli.use_database()
    from troth.service.core.keys import ledger_signer
    from troth.service.core.ledger import DatabaseLog

    return DatabaseLog(ledger_signer(keyring, organisation))


def _verifier(folder: Path, key: str | None) -> Verifier:
    from troth.ledger import NoteRefused, Verifier, origin_of

    if key is None:
        return cli.keyring().signer(origin_of(folder)).verifier
    try:
        return Verifier.parse(_text(Path(key)) if Path(key).is_file() else key)
    except NoteRefused as refused:
        raise click.BadParameter(str(refused), param_hint="--key") from None


def _waiting(log: LogReader) -> int:
    """Number of committed entries that are not in the tree yet."""
    from troth.ledger import PublishedLog

    if isinstance(log, PublishedLog):
        return 0
    from troth.service.core.ledger import pending

    return pending()


def _timestamps() -> dict[str, bytes]:
    from troth.service.core.witnessing import timestamp_files

    return timestamp_files()


# --- find entries ---------------------------------------------------------------------------------------------------


def _pseudonym(email: str | None, phone: str | None, ids: tuple[str, ...]) -> str | None:
    """The person's pseudonym in the ledger; None without identifiers."""
    if not (email or phone or ids):
        return None
    from troth.subjects import Identity, IdentityRefused, references

    with cli.usage_errors(IdentityRefused):
        identity = Identity.of(email=email, phone=phone, ids=ids)
    return str(references([identity], cli.keyring())[0])


def _require_kind(kind: str) -> None:
    from troth.ledger import KINDS

    if not any(_is_of(known, kind) for known in KINDS):
        raise click.BadParameter(f"no such kind; there are {', '.join(sorted(KINDS))}", param_hint="--kind")


def _is_of(kind: str, group: str) -> bool:
    return kind == group or kind.startswith(f"{group}.")


def _latest(
    log: LogReader, limit: int, kind: str | None, days: tuple[str, str], about: str | None
) -> list[tuple[int, bytes]]:
    """Leaf and stored bytes of the last *limit* matching entries, oldest first.

    Compares the stored bytes: entries contain no free text, so each key with its value occurs only once.
    """
    found: list[tuple[int, bytes]] = []
    subject = b'"subject":"%s"' % about.encode() if about else b""
    for leaf, stored in _backwards(log):
        name, day = (stored.partition(b'"%s":"' % name)[2].partition(b'"')[0].decode() for name in (b"kind", b"at"))
        if subject in stored and days[0] <= day[:10] <= days[1] and (kind is None or _is_of(name, kind)):
            found.append((leaf, stored))
            if len(found) == limit:
                break
    return found[::-1]


def _backwards(log: LogReader) -> Iterator[tuple[int, bytes]]:
    stop = log.size
    while stop:
        start = (stop - 1) // _BUNDLE * _BUNDLE
        yield from reversed(list(enumerate(log.stored(start, stop), start)))
        stop = start


def _read(leaf: int, stored: bytes) -> dict[str, Any]:
    """The entry's JSON, after validation. Raises `LedgerBroken`."""
    from troth.ledger import Entry, EntryRefused, EntryUnknown, LedgerBroken

    try:
        Entry.decode(stored)
    except EntryUnknown:
        return {"at": "", "kind": "(of a later version)"}
    except EntryRefused as refused:
        raise LedgerBroken(f"leaf {leaf}: {refused}; see troth ledger verify", leaf=leaf) from None
    entry: dict[str, Any] = json.loads(stored.partition(b" ")[2])
    return entry


def _field(name: str, value: object) -> str:
    """Format one field with shortened hashes; --json prints them in full."""
    if isinstance(value, dict):
        return f"{name}=" + ",".join(f"{word}:{count}" for word, count in value.items())
    text = str(value)
    return f"{name}={text[:16]}…" if len(text) > 24 and ":" in text[:7] else f"{name}={text}"


# --- files ----------------------------------------------------------------------------------------------------------


def _receipt(log: LogReader, leaf: int) -> str:
    from troth.ledger import LedgerError, receipt

    try:
        return receipt(log, leaf, extra=log.entry_bytes(leaf))
    except IndexError as missing:
        raise LedgerError(f"{missing}; it has {counted(log.size, 'entry', 'entries')}") from None


def _text(path: Path) -> str:
    with cli.file_errors(path, "read"), path.open("rb") as file:
        return file.read(_FILE_BYTES_MAX).decode("utf-8", "replace")


def _write(path: Path, text: str) -> None:
    with cli.file_errors(path, "written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
