"""Accounts of this machine that can read or write local files, from owners, groups and modes along the whole path."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from troth.stores.contract import Principal

_NO_LOGIN: Final = ("nologin", "false", "sync", "shutdown", "halt")


@dataclass(frozen=True, slots=True)
class _Account:
    """One account; *number* None means every account that is not named."""

    name: str
    number: int | None
    groups: frozenset[int]
    can_login: bool

    def may(self, bit: int, stat_result: os.stat_result) -> bool:
        if self.number == 0:
            return True
        if stat_result.st_uid == self.number:
            return bool(stat_result.st_mode & bit << 6)
        if stat_result.st_gid in self.groups:
            return bool(stat_result.st_mode & bit << 3)
        return bool(stat_result.st_mode & bit)


def accounts_that_reach(root: Path, tables: Mapping[str, Iterable[str]]) -> list[Principal]:
    """The accounts that can read some table's files (or replace them), and ``others`` for all that are not listed.

    Daemon accounts without a login are part of ``others``. Directory services are not queried.
    """
    chains = {table: {_chain(root, path) for path in paths} for table, paths in tables.items()}
    found: list[Principal] = []
    for account in _accounts():
        reads = {table for table, files in chains.items() if any(_reads(account, chain) for chain in files)}
        writes = {table for table, files in chains.items() if any(_writes(account, chain) for chain in files)}
        if reads or writes:
            reached = (frozenset(reads), frozenset(writes))
            found.append(Principal(account.name, account.can_login, *reached, _why(account), of_machine=True))
    return found


def _chain(root: Path, path: str) -> tuple[os.stat_result, ...]:
    """The file and every folder above it, up to the machine's root."""
    file = root / path
    return tuple(os.stat(step) for step in (file, *file.parents))


def _reads(account: _Account, chain: tuple[os.stat_result, ...]) -> bool:
    return account.may(stat.S_IROTH, chain[0]) and _enters(account, chain)


def _writes(account: _Account, chain: tuple[os.stat_result, ...]) -> bool:
    """Whether the account can write the file itself, or replace it."""
    return _enters(account, chain) and any(account.may(stat.S_IWOTH, step) for step in chain[:2])


def _enters(account: _Account, chain: tuple[os.stat_result, ...]) -> bool:
    return all(account.may(stat.S_IXOTH, folder) for folder in chain[1:])


def _accounts() -> list[_Account]:
    members: dict[str, set[int]] = {}
    for group in grp.getgrall():
        for member in group.gr_mem:
            members.setdefault(member, set()).add(group.gr_gid)
    named = [
        _Account(user.pw_name, user.pw_uid, frozenset({user.pw_gid, *members.get(user.pw_name, ())}), can_login=True)
        for user in pwd.getpwall()
        if user.pw_uid == 0 or not user.pw_shell.endswith(_NO_LOGIN)
    ]
    return [*named, _Account("others", None, frozenset(), can_login=True)]


def _why(account: _Account) -> str:
    if account.number is None:
        return "the files' modes allow every account"
    return "superuser of the machine" if account.number == 0 else "owner, group or mode of the files"
