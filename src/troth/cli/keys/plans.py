"""Shared by the key commands: Troth's own database, and plans that need two approvals."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from troth.cli import deployment as cli

if TYPE_CHECKING:
    from troth.ledger import Hash


apply_option = cli.apply_option("Carry out the plan that was approved.")


def require_hash(_: click.Context, __: click.Parameter, given: str) -> Hash:
    """Callback that parses a required plan hash. Raises `click.BadParameter`."""
    from troth.ledger import Hash

    checked = cli.plan_hash(_, __, given)
    assert checked is not None, "it is required"
    return Hash(checked)


def show_plan(plan: Hash, facts: Mapping[str, Any], words: str, approved: str | None, *, as_json: bool) -> bool:
    """True if this plan was approved and is to be executed. Without an approval it prints the plan; if another plan was
    approved, it raises `ApprovalRefused`."""
    from troth.protect import ApprovalRefused

    if approved is not None:
        if not hmac.compare_digest(plan.text.encode(), approved.encode()):
            raise ApprovalRefused(
                "this is not the plan that was approved: something has changed since; check the new plan"
            )
        return True
    if as_json:
        cli.print_json({"plan": str(plan), **facts, "applied": False})
        return False
    click.echo(words)
    click.echo(f"\nTwo roles must approve exactly this plan, each with:\n  troth keys approve {plan} --as ROLE")
    click.echo(f"Then repeat the command with:\n  --apply {plan}")
    return False


def has_database() -> bool:
    """True if Troth's own database may already exist. Does not create it."""
    from troth.service import Settings

    database = Settings.read().database
    return database.engine != "sqlite" or Path(database.name).exists()
