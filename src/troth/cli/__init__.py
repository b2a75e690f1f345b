"""The commands: `troth …`. Each parses its arguments, calls the library and prints; it contains no domain logic.

There is a module per group of commands, imported only when its command is called, so that `troth --version` is fast.
Exit codes: 0 success, 1 something was found or refused, 2 wrong usage.
"""

from __future__ import annotations

import sys

import click

from troth import TrothError, __version__
from troth.cli.deployment import printable
from troth.cli.lazy_group import LazyGroup

__all__ = ["main"]

COMMANDS = {
    "audit": "troth.cli.audit",
    "init": "troth.cli.init",
    "check": "troth.cli.check",
    "policy": "troth.cli.policy",
    "detect": "troth.cli.detect",
    "view": "troth.cli.subjects",
    "amend": "troth.cli.subjects",
    "erase": "troth.cli.subjects",
    "scan": "troth.cli.subjects",
    "replay": "troth.cli.replay",
    "acknowledge-return": "troth.cli.acknowledge_return",
    "grants": "troth.cli.grants",
    "ropa": "troth.cli.ropa",
    "dpia": "troth.cli.dpia",
    "map": "troth.cli.map",
    "keys": "troth.cli.keys",
    "ledger": "troth.cli.ledger",
    "evidence": "troth.cli.evidence",
    "keep": "troth.cli.keep",
    "promises": "troth.cli.promises",
    "work": "troth.cli.work",
    "staff": "troth.cli.staff",
    "api": "troth.cli.api",
    "demo": "troth.cli.demo",
    "serve": "troth.cli.serve",
    "migrate": "troth.cli.serve",
    "doctor": "troth.cli.doctor",
}
"""The module that defines each command; the function has the command's name."""

_SHORT = {
    "audit": "Tell the truth about a real database, a policy and a site. Reads only.",
    "init": "Draft troth.yaml from the schema that is really there.",
    "check": "Check the declaration, and whether the stores agree with it.",
    "policy": "Read the published policy and work with its text.",
    "detect": "Find personal data in text, CSV, JSON and Parquet.",
    "view": "Show all that is held about a person.",
    "amend": "Correct what is held about a person, everywhere.",
    "erase": "Erase a person: first the plan, then --apply.",
    "scan": "Find where free text mentions a person.",
    "replay": "Erase again whoever a restored backup brought back.",
    "acknowledge-return": "Record that a person who was erased came back of their own accord.",
    "grants": "Print the least-privilege GRANT script for a store.",
    "ropa": "Print the record of processing (GDPR Art. 30).",
    "map": "Draw where the data goes.",
    "dpia": "Say which purposes need an impact assessment (GDPR Art. 35).",
    "keys": "Make, look at, rotate and destroy the keys in TROTH_HOME.",
    "ledger": "Show, verify and hand out the record of what was done.",
    "evidence": "Hand out what shows that the policy is kept.",
    "keep": "Run the checks that are due and finish what was interrupted.",
    "promises": "Say how each promise of the policy stands, and why.",
    "work": "Carry the flows that requests and batches want.",
    "staff": "Invite staff, give, end and review grants.",
    "api": "Let programs ask over the API, and tell them what happens.",
    "demo": "Bring up the example company.",
    "serve": "Serve the policy, its status and the staff pages.",
    "migrate": "Bring Troth's own database up to date.",
    "doctor": "Say what this installation still needs.",
}


class _Rooms(LazyGroup):
    """Prints expected errors as plain lines instead of a traceback."""

    modules = COMMANDS
    shorts = _SHORT

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
                f"troth: {said}; see TROTH_DATABASE_URL, and that the database is there, lets us in and has room",
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
