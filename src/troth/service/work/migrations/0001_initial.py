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
                ("executor", models.CharField(max_length=32, unique=True)),
                ("begun_at", models.DateTimeField()),
                ("lease_until", models.DateTimeField(db_index=True)),
            ],
            options={"db_table": "work_worker"},
        ),
        migrations.CreateModel(
            name="FlowRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                ("about", models.CharField(help_text="An id: never a value.", max_length=100)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("wanted", "to be taken up by the next worker"),
                            ("running", "in a worker's hands"),
                            ("waiting", "for a moment, a word, or a store that is down"),
                            ("done", "to its end"),
                            ("stopped", "until somebody fixes the reason and wants it again"),
                            ("failed", "by a fault of ours; it goes on where it was once it is wanted again"),
                        ],
                        max_length=10,
                    ),
                ),
                ("round", models.PositiveIntegerField(default=1, help_text="How often it was begun from the start.")),
                (
                    "takings",
                    models.PositiveIntegerField(default=0, help_text="How often a worker took it up, in this round."),
                ),
                ("due_at", models.DateTimeField(help_text="When a worker may take it up.", null=True)),
                (
                    "for_word",
                    models.BooleanField(default=False, help_text="It waits for a word, and may be taken up on one."),
                ),
                (
                    "words",
                    models.PositiveIntegerField(default=0, help_text="How many words it was sent, in this round."),
                ),
                (
                    "tries",
                    models.PositiveIntegerField(
                        default=0, help_text="How often in a row the step that it is at was in vain."
                    ),
                ),
                (
                    "step",
                    models.CharField(blank=True, default="", help_text="Where it last could not go on.", max_length=60),
                ),
                ("reason", models.CharField(blank=True, default="", help_text="Why not, as a code.", max_length=100)),
                ("worker", models.CharField(blank=True, default="", max_length=32)),
                ("wanted_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "work_flow",
                "indexes": [
                    models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="flow_due"),
                    models.Index(
                        condition=models.Q(("state", "done"), _negated=True), fields=["state"], name="flow_not_done"
                    ),
                    models.Index(
                        condition=models.Q(("ended_at__isnull", False)), fields=["ended_at"], name="flow_ended"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("name", "about"), name="flow_is_one"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "running"), models.Q(("worker", ""), _negated=True)),
                            models.Q(models.Q(("state", "running"), _negated=True), ("worker", "")),
                            _connector="OR",
                        ),
                        name="flow_runs_at_a_worker",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("due_at__isnull", False), ("state__in", ["wanted", "waiting"])),
                            models.Q(("due_at__isnull", True), ("state__in", ["running", "done", "stopped", "failed"])),
                            _connector="OR",
                        ),
                        name="flow_is_due_while_it_waits",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", False), ("state", "done")),
                            models.Q(models.Q(("state", "done"), _negated=True), ("ended_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="flow_has_ended_when_done",
                    ),
                ],
            },
        ),
    ]
