"""Runs `safety_checks` on this process: its settings, its declaration, its database."""

from __future__ import annotations

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from troth.service.configuration import Settings
from troth.service.core.deployment import load_deployment
from troth.service.safety_checks import refuse_unsafe


def refuse_unsafe_start() -> None:
    """Return if this process may serve people. Raises `UnsafeStart` with every reason, and `NoDeployment`."""
    told: Settings = settings.TROTH
    if not told.is_production:
        return
    refuse_unsafe(
        told,
        site=load_deployment(told).declaration.organisation.site,
        debug=settings.DEBUG,
        unapplied=unapplied_migrations(),
    )


def unapplied_migrations() -> int | None:
    """Number of unapplied migrations; None if the database cannot be opened."""
    try:
        executor = MigrationExecutor(connection)
    except DatabaseError:  # its text may hold the address and the user
        return None
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
