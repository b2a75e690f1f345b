"""Conditions under which the production profile does not start. All reasons are reported at once, each with its fix.

The development profile serves http://localhost only; these checks are skipped there, and `server.serve` binds to no
other address.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from urllib.parse import urlsplit

from troth.protect import Keyring, ProtectError
from troth.service.configuration import Settings, UnsafeStart

_NETWORK = frozenset(
    {"9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs", "lustre", "nfs", "nfs4", "smb3", "smbfs"}
)
"""File systems on which SQLite's WAL is unsafe: all its processes must share one host (sqlite.org/wal.html)."""

_DEBUG = "DEBUG is on, and its error pages show personal data; turn it off"
_HOSTS = "TROTH_HOSTS is not set; name the hosts that Troth serves, such as privacy.example.org"
_NO_SIGNING_KEY = (
    "TROTH_SECRET_KEY is not set; make one with: python -c 'import secrets; print(secrets.token_urlsafe(64))'"
)
_MAIL = "TROTH_MAIL_URL is not set; name the mail server, such as smtp://user:password@mail.example.org:587"
_MOUNTS = Path("/proc/self/mountinfo")


def refuse_unsafe(
    settings: Settings, *, site: str | None, debug: bool, unapplied: int | None, mounts: str | None = None
) -> None:
    """Return if *settings* are safe for serving people, else raise `UnsafeStart`; in development always return.

    *site* is the organisation's address in the declaration, *debug* Django's switch, *unapplied* the number of
    unapplied migrations (None if the database cannot be opened), *mounts* the text of ``/proc/self/mountinfo`` (read if
    omitted).
    """
    if not settings.is_production:
        return
    found = (
        _DEBUG if debug else "",
        "" if settings.hosts else _HOSTS,
        _site(site),
        "" if settings.secret_key_given else _NO_SIGNING_KEY,
        "" if settings.mail is not None else _MAIL,
        _home(settings.home) or _root_key(settings.home),
        _database(settings, _read_mounts() if mounts is None else mounts),
        _migrations(unapplied),
    )
    if problems := tuple(problem for problem in found if problem):
        raise UnsafeStart(problems)


def _site(site: str | None) -> str:
    if site is None:
        return "the declaration names no site; set organisation.site to its https:// address"
    if urlsplit(site).scheme != "https":
        return "organisation.site in the declaration is not an https:// address; personal data would travel unencrypted"
    return ""


def _home(home: Path) -> str:
    for folder in (home, *home.parents):
        if (folder / ".git").exists():
            return f"TROTH_HOME ({home}) is inside the git tree {folder}, where its keys may get committed; move it out"
    if not home.is_dir():
        return f"TROTH_HOME ({home}) does not exist; make it with: install -d -m 700 {home}"
    if stat.S_IMODE(home.stat().st_mode) & 0o077:
        return f"TROTH_HOME ({home}) is open to others; run: chmod 700 {home}"
    exposed = sorted(path.name for path in home.iterdir() if _is_exposed_secret(path))
    if exposed:
        return f"others can read {', '.join(exposed)} in TROTH_HOME ({home}); run: chmod 600 on each"
    return ""


def _root_key(home: Path) -> str:
    try:
        Keyring.open(home)
    except ProtectError as missing_or_unsafe:
        return str(missing_or_unsafe)
    return ""


def _is_exposed_secret(path: Path) -> bool:
    return path.is_file() and "key" in path.name and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def _database(settings: Settings, mounts: str) -> str:
    if settings.database.engine != "sqlite":
        return ""
    file = Path(settings.database.name)
    if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077:
        return f"others can read the database {file}; run: chmod 600 {file}"
    kind = filesystem_of(Path(settings.database.name), mounts)
    if kind in _NETWORK:
        return (
            f"the SQLite database is on a network file system ({kind}), where its locks are not reliable; use "
            "PostgreSQL"
        )
    return ""


def _migrations(unapplied: int | None) -> str:
    if unapplied is None:
        return (
            "the database cannot be opened; check TROTH_DATABASE_URL, and that the database exists and accepts the "
            "login"
        )
    return f"the database lacks {unapplied} migrations; run: troth migrate" if unapplied else ""


def filesystem_of(path: Path, mounts: str) -> str:
    """Type of the file system that holds *path*, from the text of ``/proc/self/mountinfo``; empty if unknown."""
    wanted, best, kind = Path(os.path.realpath(path)), -1, ""
    for line in mounts.splitlines():
        fields, separator, rest = line.partition(" - ")
        if not separator or len(fields.split()) < 5:
            continue
        mounted = Path(fields.split()[4].replace("\\040", " "))
        # A later mount at the same point hides the earlier ones.
        if wanted.is_relative_to(mounted) and len(mounted.parts) >= best:
            best, kind = len(mounted.parts), rest.split()[0]
    return kind


def _read_mounts() -> str:
    try:
        return _MOUNTS.read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux: no list of mounts
        return ""
