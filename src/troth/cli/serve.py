"""``troth serve``: serves the policy, its status and the staff pages."""

from __future__ import annotations

import os
import socket

import click

from troth.cli import deployment as cli
from troth.errors import TrothError


@click.command()
@cli.service_declaration_option
@click.option("--address", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Which port.")
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Number of web server processes."
)
@click.option("--no-work", is_flag=True, help="Do not run a worker for background jobs; `troth work` runs them.")
@cli.json_option
def serve(address: str, port: int, workers: int, no_work: bool, as_json: bool) -> None:
    """Serve the policy at /policy/ and its status at /policy/status/, with a worker for background jobs: checks,
    requests, e-mails.

    The development profile is for http://localhost. TROTH_PROFILE=production refuses to start with unsafe settings.

    \b
    Example:  troth serve -d troth.yaml
              TROTH_PROFILE=production troth serve --address 0.0.0.0 --workers 4
    """
    refuse_taken(address, port)
    from troth.service.server import serve as start

    host = f"[{address}]" if ":" in address else address

    def ready() -> None:
        url = f"http://{host}:{port}/policy/"
        facts = {"address": url, "workers": workers, "work": not no_work}
        cli.answer(facts, f"{url} · Ctrl-C stops it", as_json=as_json)

    start(address=address, port=port, workers=workers, work=not no_work, ready=ready)


@click.command()
@click.option(
    "--restored",
    is_flag=True,
    help="The database was restored from a backup: do not reuse case references and message ids.",
)
@cli.json_option
def migrate(restored: bool, as_json: bool) -> None:
    """Migrate Troth's own database to the schema of this version. Idempotent.

    After restoring it from a backup, use --restored before anything else runs on it: case references and message ids
    that were issued since the backup are then not issued again, and the restore is recorded in the ledger.

    \b
    Example:  TROTH_PROFILE=production troth migrate
              troth migrate --restored
    """
    from troth.service.server import migrate as bring_up_to_date
    from troth.service.server import set_up

    settings = set_up()
    bring_up_to_date()
    if restored:
        from troth.service.core.restored import begin_again

        begin_again(now=cli.now())
    goes_on = " The restore is recorded, and new references do not repeat old ones." if restored else ""
    cli.answer(
        {"database": settings.database.engine, "migrated": True, "restored": restored},
        f"The {settings.database.engine} database is up to date.{goes_on}",
        as_json=as_json,
    )


def refuse_taken(address: str, port: int) -> None:
    """Raise a readable `TrothError` if the server could not listen there; its own error is hard to understand."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as fault:
            reason = os.strerror(fault.errno) if isinstance(fault.errno, int) and fault.errno > 0 else "unknown address"
            raise TrothError(
                f"nothing can listen at {address}, port {port} ({reason}); choose another with --port or --address"
            ) from None
