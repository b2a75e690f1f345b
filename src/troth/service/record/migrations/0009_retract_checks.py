# ruff: noqa: RUF012 - Django reads lists here

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("record", "0008_find_the_latest_of_each_outcome")]

    operations = [
        migrations.CreateModel(
            name="Retraction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("control", models.CharField(max_length=160)),
                ("since", models.DateTimeField(help_text="The first moment whose checks are meant.")),
                ("until", models.DateTimeField(help_text="The first moment after them.")),
                ("reason", models.TextField(help_text="What was wrong with the control; nothing about people.")),
                (
                    "opening",
                    models.BinaryField(help_text="Shows that the entry's commitment is to this reason."),
                ),
                ("checks", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
                (
                    "entry",
                    models.ForeignKey(
                        help_text="The ledger entry that says so.",
                        on_delete=django.db.models.deletion.PROTECT,
                        to="record.entryrow",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=Q(until__gt=F("since")), name="retraction_covers_a_time"),
                    models.CheckConstraint(condition=Q(checks__gte=1), name="retraction_covers_checks"),
                ]
            },
        ),
        migrations.AddField(
            "checkrow",
            "collector",
            models.CharField(blank=True, default="", help_text="The program that ran it, and for what.", max_length=80),
        ),
        migrations.AddField(
            "checkrow",
            "retraction",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="retracted",
                to="record.retraction",
            ),
        ),
    ]
