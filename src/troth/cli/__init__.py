"""The commands: `troth …`. Each parses its arguments, calls the library and prints; it contains no domain logic.

There is a module per group of commands, imported only when its command is called, so that `troth --version` is fast.
Exit codes: 0 success, 1 something was found or refused, 2 wrong usage.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import click

import troth.service  # noqa: F401 - adds its duties
from troth import TrothError, __version__
from troth.cli.deployment import printable
from troth.cli.lazy_group import LazyGroup

__all__ = ["main"]

COMMANDS = {
    "audit": "Compare a real database, a policy and a site, and report what is wrong. Read-only.",
    "init": "Draft troth.yaml from the schema of a real database.",
    "check": "Check the declaration, and whether the stores match it.",
    "policy": "Read the published policy and work with its text.",
    "detect": "Find personal data in text, CSV, JSON and Parquet.",
    "view": "Show all data about a person.",
    "amend": "Correct data about a person, in all stores.",
    "erase": "Erase a person: show the plan, then carry it out with --apply.",
    "scan": "Find where free text mentions a person.",
    "replay": "Erase people again whom a restored backup brought back.",
    "acknowledge-return": "Record that an erased person came back of their own accord.",
    "newsletter": "Send an edition of a newsletter, and see how it stands.",
    "mail": "Read bounces, check e-mails, and print their DNS records.",
    "connector": "Try a connector against the real service.",
    "grants": "Print the least-privilege GRANT script for a store.",
    "ropa": "Print the record of processing (GDPR Art. 30).",
    "dpia": "Report which purposes need an impact assessment (GDPR Art. 35).",
    "map": "Draw the data flows.",
    "keys": "Create, inspect, rotate and destroy the keys in TROTH_HOME.",
    "ledger": "Show, verify and export the ledger of all actions.",
    "evidence": "Export evidence that the policy is kept, or retract faulty checks.",
    "keep": "Run the checks that are due, and finish interrupted runs.",
    "promises": "Show the status of each promise of the policy, and why.",
    "rehearse": "Plant breaches into an invented company, and see who would notice.",
    "work": "Run the background jobs of requests and batches.",
    "staff": "Invite staff; give, revoke and review grants.",
    "api": "Manage API tokens and webhooks of programs.",
    "demo": "Start the example company.",
    "serve": "Serve the policy, its status and the staff console.",
    "migrate": "Migrate Troth's own database to this version.",
    "doctor": "Report what this installation still needs.",
}
"""The short help of each command, in the order of the list."""

_MODULES = {"view": "subjects", "amend": "subjects", "erase": "subjects", "scan": "subjects", "migrate": "serve"}
"""The modules of commands that share one; others have the name of their command."""


class _Rooms(LazyGroup):
    """Prints expected errors as plain lines instead of a traceback."""

    package = __name__
    shorts = COMMANDS
    shared = _MODULES

    def more(self) -> Mapping[str, tuple[str, str]]:
        from troth.service.duty import gathered

        return gathered("commands")

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as wrong:
            raise click.UsageError(printable(wrong.format_message()), wrong.ctx) from None
        except TrothError as refused:
            for line in str(refused).splitlines():
                click.echo(f"troth: {printable(line)}", err=True)
            ctx.exit(1)
        except Exception as fault:
            if not _is_of_own_database(fault):
                raise
            # Its text may quote a row, or reveal our account.
            said = f"Troth's own database refused or did not answer ({type(fault).__name__})"
            click.echo(
                f"troth: {said}; check TROTH_DATABASE_URL, the disk space, and that the database is up and accepts us",
                err=True,
            )
            ctx.exit(1)


def _is_of_own_database(fault: Exception) -> bool:
    """True for operational errors of the database, not for bugs. False if Django was never loaded."""
    django = sys.modules.get("django.db.utils")
    if django is None:
        return False
    return isinstance(fault, django.OperationalError | django.InterfaceError) or type(fault) is django.DatabaseError


@click.group(cls=_Rooms, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="troth")
def main() -> None:
    """Keep your privacy policy, and prove it.

    \b
    First look:   troth audit --store sqlite:///shop.sqlite --policy policy.html
    Then:         troth init --store sqlite:///shop.sqlite > troth.yaml
                  troth check -d troth.yaml
                  troth view -d troth.yaml --email ann@example.org
    """
