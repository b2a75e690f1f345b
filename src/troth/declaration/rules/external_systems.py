"""Systems that answer for themselves: whether the declaration says how to ask them, and what they hold."""

from __future__ import annotations

from typing import Final

from troth.declaration.external_systems import ASKED_SCHEMES, ListSync
from troth.declaration.model import Declaration
from troth.declaration.problems import Severity, meant, shown
from troth.declaration.rules.problem import Faults, UnplacedProblem
from troth.text import nearest


def _asked(declaration: Declaration) -> Faults:
    """A system that is asked declares how, and what it holds; a system that we read is not asked."""
    for name, system in declaration.systems.items():
        path, scheme = ("systems", name), system.store.partition(":")[0]
        asked, is_reference = system.asked, system.store.startswith("${")
        if asked is None:
            if scheme in ASKED_SCHEMES:
                fix = "add 'asked: {answers: […], secret: ${NAME}, holds: {…}}'"
                yield UnplacedProblem("asked-missing", path, "how to ask this system is not declared", fix)
            continue
        if not asked.holds:
            fix = "add 'holds: {NAME: category}' under 'asked'"
            yield UnplacedProblem("asked-holds", path, "what this system holds is not declared", fix, Severity.WARNING)
        if system.store == "task":
            continue
        if scheme not in ASKED_SCHEMES and not is_reference:
            message = "a database or a folder is read directly, and cannot have 'asked'"
            yield UnplacedProblem("asked-store", (*path, "store"), message, "give an https:// address or 'hook:MODULE'")
        if system.tables:
            message = "an external system cannot have tables, because Troth does not read it"
            yield UnplacedProblem("asked-tables", (*path, "tables"), message, "declare what it holds under 'asked'")
        if asked.recipient is not None and asked.recipient not in declaration.recipients:
            fix = meant(nearest(asked.recipient, declaration.recipients), "declare it under 'recipients'")
            message = f"no recipient '{shown(asked.recipient)}'"
            yield UnplacedProblem("asked-recipient", (*path, "asked", "recipient"), message, fix)
        if asked.sync is not None:
            yield from _sync(declaration, path, asked.sync, is_list=is_reference or scheme in _LISTS)
        if asked.secret is None and scheme == "mailchimp":
            message, fix = "there is no API key", "add 'secret: ${MAILCHIMP_API_KEY}'"
            yield UnplacedProblem("asked-secret", (*path, "asked"), message, fix)
        if asked.secret is None and scheme.endswith(("http", "https")):
            yield UnplacedProblem(
                "asked-secret", (*path, "asked"), "there is no secret to sign messages with", "add 'secret: ${NAME}'"
            )


_LISTS = ("mailchimp", "hook")
"""Schemes of lists; a hook stands in for one where nothing real is asked, as in a rehearsal."""


def _sync(declaration: Declaration, path: tuple[str, str], sync: ListSync, *, is_list: bool) -> Faults:
    """A list is kept in sync with a declared table, for a declared purpose."""
    place = (*path, "asked", "sync")
    if not is_list:
        yield UnplacedProblem("asked-sync", place, "only a list of Mailchimp is kept in sync", "remove 'sync'")
    if sync.purpose not in declaration.purposes:
        fix = meant(nearest(sync.purpose, declaration.purposes), "declare it under 'purposes'")
        yield UnplacedProblem("asked-sync", (*place, "purpose"), f"no purpose '{shown(sync.purpose)}'", fix)
    name, _, table = sync.table.partition(".")
    system = declaration.systems.get(name)
    if system is None or not system.is_looked_into or table not in system.tables:
        fix = "name it as SYSTEM.TABLE; it is one whose rows Troth reads"
        yield UnplacedProblem("asked-sync", (*place, "table"), f"no table '{shown(sync.table)}'", fix)
    elif sync.email not in (uses := system.tables[table]).fields and not any(
        column.column == sync.email for column in (*uses.identity.values(), *uses.mentions.values())
    ):
        message = f"no declared column '{shown(sync.email)}' in {shown(sync.table)}"
        yield UnplacedProblem("asked-sync", (*place, "email"), message, "name the column with the address")


RULES: Final = (_asked,)
