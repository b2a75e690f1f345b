"""The access rule of a view; `staff.permissions` has those for people who are signed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from troth.service.staff.rights import StaffRight

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Access rule of a view: ``public``, ``signed_in``, ``needs`` (any of *rights*) or ``by_token``."""

    kind: str
    rights: tuple[StaffRight, ...] = ()
    personal: bool = False


def rule_of(view: Callable[..., Any]) -> AccessRule | None:
    """Rule of a view; None if it has none."""
    rule = getattr(view, "troth_rule", None)
    return rule if isinstance(rule, AccessRule) else None


def public(view: View) -> View:
    """For everyone."""
    return ruled_by(view, AccessRule("public"))


def by_token(view: View) -> View:
    """For holders of an API token; the view checks it."""
    return ruled_by(view, AccessRule("by_token"))


def ruled_by(view: View, rule: AccessRule) -> View:
    """Give *view* the access *rule*."""
    view.troth_rule = rule  # type: ignore[attr-defined]
    return view
