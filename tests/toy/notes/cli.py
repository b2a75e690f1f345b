from __future__ import annotations

import click


@click.command()
def notes() -> None:
    """Count the notes."""
    from troth.service.server import catch_up, set_up

    set_up()
    catch_up()
    from notes.models import Note

    click.echo(f"{Note.objects.count()} notes")
