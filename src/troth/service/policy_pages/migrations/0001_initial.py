# ruff: noqa: RUF012 - as Django generated it

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("core", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="PublishedRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(unique=True)),
                ("digest", models.CharField(max_length=80)),
                ("effective", models.DateField()),
                ("kind", models.CharField(help_text="How its text is read: markdown, html, text.", max_length=16)),
                ("source", models.TextField()),
                (
                    "verdict",
                    models.CharField(
                        help_text="What it was to the one before it; first where there was none.", max_length=16
                    ),
                ),
                ("weaker", models.PositiveIntegerField(default=0, help_text="Clauses that promise less than before.")),
                ("at", models.DateTimeField()),
                (
                    "entry",
                    models.ForeignKey(
                        help_text="The ledger entry that says so.",
                        on_delete=django.db.models.deletion.PROTECT,
                        to="core.entryrow",
                    ),
                ),
            ],
            options={
                "db_table": "policy_pages_published",
                "indexes": [models.Index(fields=["effective", "number"], name="published_in_force")],
            },
        )
    ]
