"""Permissions of API tokens. Duties register theirs."""

from __future__ import annotations

from collections.abc import Sequence

from troth.service.duty import listed


class ApiScope(str):
    """A permission of a token, by its name. It *reaches_personal* if it gives a program personal data, or lets it have
    data changed in somebody's name."""

    label: str
    reaches_personal: bool

    def __new__(cls, name: str, label: str, *, reaches_personal: bool = False) -> ApiScope:
        scope = super().__new__(cls, name)
        scope.label, scope.reaches_personal = label, reaches_personal
        return scope


def scopes() -> Sequence[ApiScope]:
    """Every scope of every duty."""
    return listed("scopes")


def scope_named(name: str) -> ApiScope:
    """The scope of that name. Raises ``ValueError``."""
    for scope in scopes():
        if scope == name:
            return scope
    raise ValueError(f"{name!r} is not a scope")
