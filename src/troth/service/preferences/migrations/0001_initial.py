# ruff: noqa: RUF012 - as Django generated it

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("core", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Choice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("fingerprint", models.CharField(max_length=80)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("given", "Given"),
                            ("refused", "Refused"),
                            ("withdrawn", "Withdrawn"),
                            ("objected", "Objected"),
                            ("restricted", "Restricted"),
                            ("complained", "Complained"),
                            ("undeliverable", "Undeliverable"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "scope",
                    models.CharField(
                        choices=[("purpose", "Purpose"), ("marketing", "Marketing"), ("all_uses", "All Uses")],
                        max_length=16,
                    ),
                ),
                (
                    "purpose",
                    models.CharField(blank=True, default="", help_text="Its name in the declaration.", max_length=160),
                ),
                (
                    "except_for",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="The purpose that a restriction leaves allowed.",
                        max_length=160,
                    ),
                ),
                ("source", models.CharField(help_text="The duty that recorded it.", max_length=40)),
                ("act", models.CharField(help_text="The act that it was, such as case:R-2026-0187.", max_length=80)),
                (
                    "actor",
                    models.CharField(help_text="Who acted, as in the ledger; “subject” for the person.", max_length=8),
                ),
                (
                    "shown",
                    models.CharField(
                        blank=True, default="", help_text="Hash of the text that was shown.", max_length=80
                    ),
                ),
                ("since", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "end_entry",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.entryrow"
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.entryrow"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["fingerprint"], name="choice_fingerprint"),
                    models.Index(
                        condition=models.Q(("ended_at__isnull", False)), fields=["ended_at"], name="choice_ended"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("act", "fingerprint", "state", "scope", "purpose"),
                        name="choice_is_in_force_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("scope", "purpose"), models.Q(("purpose", ""), _negated=True)),
                            models.Q(models.Q(("scope", "purpose"), _negated=True), ("purpose", "")),
                            _connector="OR",
                        ),
                        name="choice_names_its_purpose",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("except_for", ""),
                            models.Q(("scope", "all_uses"), ("state", "restricted")),
                            _connector="OR",
                        ),
                        name="choice_excepts_only_from_a_restriction",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("scope", "all_uses"), ("state", "given"), _negated=True),
                        name="choice_gives_no_general_consent",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("end_entry", None), ("ended_at", None)),
                            models.Q(("end_entry__isnull", False), ("ended_at__gte", models.F("since"))),
                            _connector="OR",
                        ),
                        name="choice_ended_is_on_record",
                    ),
                ],
            },
        ),
    ]
