# ruff: noqa: RUF012 - as Django generated it

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="WorkerRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=32, unique=True)),
                (
                    "process",
                    models.CharField(
                        blank=True, help_text="Its process, for others on the same machine.", max_length=120
                    ),
                ),
                (
                    "runs_jobs",
                    models.BooleanField(default=True, help_text="False if it only holds its own."),
                ),
                ("begun_at", models.DateTimeField()),
                ("beats", models.PositiveIntegerField(default=0, help_text="How often it has renewed its lease.")),
                ("lease_until", models.DateTimeField(db_index=True)),
            ],
            options={
                "db_table": "core_worker",
            },
        ),
        migrations.CreateModel(
            name="Job",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=60)),
                ("key", models.CharField(blank=True, help_text="An id: never a value.", max_length=200)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "to be run when it is due"),
                            ("running", "in a worker"),
                            ("waiting", "for a signal, or until it is due"),
                            ("stopped", "until somebody fixes the reason and resumes it"),
                            ("failed", "by an error that no retry fixes, until somebody resumes it"),
                        ],
                        max_length=10,
                    ),
                ),
                ("priority", models.SmallIntegerField(help_text="Lower numbers run first.")),
                ("due_at", models.DateTimeField(help_text="When a worker may run it.", null=True)),
                ("calls", models.PositiveIntegerField(default=1, help_text="How often it was enqueued.")),
                (
                    "begun",
                    models.PositiveIntegerField(
                        default=0, help_text="How often it had been when it took its first step."
                    ),
                ),
                ("signals", models.PositiveIntegerField(default=0, help_text="How often it was signalled.")),
                ("claims", models.PositiveIntegerField(default=0, help_text="How often a worker claimed it.")),
                ("attempts", models.PositiveIntegerField(default=0, help_text="How often in a row it failed.")),
                (
                    "steps",
                    models.JSONField(
                        default=dict, help_text="Results of the steps that are done: ids, counts and codes."
                    ),
                ),
                (
                    "step",
                    models.CharField(blank=True, default="", help_text="The step that last failed.", max_length=60),
                ),
                ("reason", models.CharField(blank=True, default="", help_text="Why, as a code.", max_length=100)),
                ("worker", models.CharField(blank=True, default="", max_length=32)),
                ("enqueued_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
            ],
            options={
                "db_table": "core_job",
                "indexes": [
                    models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="job_due"),
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)), fields=["priority", "due_at"], name="job_next"
                    ),
                    models.Index(
                        condition=models.Q(("worker", ""), _negated=True), fields=["worker"], name="job_running"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "key"), name="job_is_unique"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "running"), models.Q(("worker", ""), _negated=True)),
                            models.Q(models.Q(("state", "running"), _negated=True), ("worker", "")),
                            _connector="OR",
                        ),
                        name="job_runs_in_a_worker",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("due_at__isnull", False), ("state__in", ["queued", "waiting"])),
                            models.Q(("due_at__isnull", True), ("state__in", ["running", "stopped", "failed"])),
                            _connector="OR",
                        ),
                        name="job_is_due_while_it_waits",
                    ),
                ],
            },
        ),
    ]
