# ruff: noqa: RUF012 - as Django generated it

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("newsletters", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="StopCanary",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "list",
                    models.CharField(blank=True, help_text="A newsletter; empty for all marketing.", max_length=40),
                ),
                (
                    "way",
                    models.CharField(
                        choices=[
                            ("look", "Look"),
                            ("link", "Link"),
                            ("one_click", "One Click"),
                            ("centre", "Centre"),
                            ("mailto", "Mailto"),
                            ("own_words", "Own Words"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "address",
                    models.CharField(
                        help_text="Invented; nobody can guess it, and no mail arrives there.", max_length=120
                    ),
                ),
                ("fingerprint", models.CharField(max_length=40, unique=True)),
                ("link", models.CharField(blank=True, help_text="As it was made then, for all time.", max_length=500)),
                ("made_at", models.DateTimeField()),
                ("turn", models.PositiveIntegerField(default=0)),
                ("turned_at", models.DateTimeField(help_text="When the last turn began.", null=True)),
                ("tried_at", models.DateTimeField(help_text="When it was last known how a try went.", null=True)),
                (
                    "fault",
                    models.CharField(blank=True, help_text="A code of what was wrong then.", max_length=20),
                ),
                (
                    "faults",
                    models.PositiveIntegerField(default=0, help_text="How many tries in a row had a fault."),
                ),
            ],
            options={
                "db_table": "newsletters_stop_canary",
                "indexes": [models.Index(fields=["list", "way"], name="stop_canary_of_list")],
            },
        ),
        migrations.CreateModel(
            name="StopProbes",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("prober", models.CharField(max_length=40)),
                ("day", models.DateField()),
                (
                    "rounds",
                    models.PositiveIntegerField(default=0, help_text="One every five minutes, if the prober runs."),
                ),
                ("tried", models.PositiveIntegerField(default=0)),
                ("answered", models.PositiveIntegerField(default=0)),
                ("first_at", models.DateTimeField()),
            ],
            options={
                "db_table": "newsletters_stop_probes",
                "constraints": [
                    models.UniqueConstraint(fields=("prober", "day"), name="stop_probes_are_counted_by_day"),
                    models.CheckConstraint(
                        condition=models.Q(("tried__gte", models.F("answered"))), name="stop_probes_answered_were_tried"
                    ),
                ],
            },
        ),
    ]
