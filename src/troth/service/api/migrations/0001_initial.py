# ruff: noqa: RUF012 - as Django generated it

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Webhook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("url", models.CharField(max_length=500)),
                ("events", models.JSONField(default=list)),
                ("secret", models.BinaryField(help_text="What messages are signed with, sealed.")),
                ("made_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Answered",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("program", models.CharField(max_length=40)),
                ("key", models.CharField(max_length=200)),
                ("asked", models.BinaryField(help_text="A keyed hash of what was asked.", max_length=32)),
                ("status", models.PositiveSmallIntegerField(help_text="Empty while it is being done.", null=True)),
                ("body", models.JSONField(null=True)),
                ("at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["at"], name="answered_at")],
                "constraints": [models.UniqueConstraint(fields=("program", "key"), name="answered_once")],
            },
        ),
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        help_text="Of this token: that of its program, for the first.", max_length=80, unique=True
                    ),
                ),
                (
                    "program",
                    models.CharField(db_index=True, help_text="Such as shop or crm; no person.", max_length=40),
                ),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("scopes", models.JSONField(default=list)),
                ("made_at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("used_on", models.DateField(null=True)),
            ],
            options={
                "db_table": "api_token",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("until__gt", models.F("made_at"))), name="token_has_an_end"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event", models.CharField(max_length=40)),
                ("body", models.JSONField(help_text="References, states and dates. Nothing personal.")),
                ("at", models.DateTimeField()),
                ("done_at", models.DateTimeField(null=True)),
                (
                    "why",
                    models.CharField(
                        blank=True, default="", help_text="Why it was not accepted, the last time.", max_length=40
                    ),
                ),
                ("hook", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="api.webhook")),
            ],
        ),
    ]
