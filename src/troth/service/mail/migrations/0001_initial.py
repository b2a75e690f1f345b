# ruff: noqa: RUF012 - as Django generated it

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="LetterRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("once", models.CharField(help_text="The same key is queued once, ever.", max_length=160, unique=True)),
                ("kind", models.CharField(max_length=40)),
                ("about", models.CharField(help_text="A reference such as case:R-2026-0187.", max_length=80)),
                ("to", models.CharField(help_text="A pseudonym of the address.", max_length=80)),
                ("language", models.CharField(max_length=10)),
                (
                    "message_id",
                    models.CharField(help_text="Random, and the same however often it is sent.", max_length=200),
                ),
                ("sealed", models.BinaryField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("handing_over", "Handing Over"),
                            ("sent", "Sent"),
                            ("failed", "Failed"),
                        ],
                        default="queued",
                        max_length=12,
                    ),
                ),
                ("queued_at", models.DateTimeField()),
                ("until", models.DateTimeField(help_text="When trying makes no sense any more.")),
                (
                    "reason",
                    models.CharField(blank=True, help_text="A code of what the last try ran into.", max_length=40),
                ),
                (
                    "repeated",
                    models.BooleanField(
                        default=False, help_text="It may have arrived twice, with the same Message-ID."
                    ),
                ),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "mail_letter",
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True)), fields=["queued_at"], name="letter_waiting"
                    ),
                    models.Index(fields=["about"], name="letter_about"),
                    models.Index(fields=["message_id"], name="letter_message_id"),
                    models.Index(condition=models.Q(("state", "failed")), fields=["ended_at"], name="letter_failed"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("ended_at__isnull", True),
                                ("sealed__isnull", False),
                                ("state__in", ["queued", "handing_over"]),
                            ),
                            models.Q(("ended_at__isnull", False), ("sealed__isnull", True), ("state", "sent")),
                            models.Q(("ended_at__isnull", False), ("state", "failed")),
                            _connector="OR",
                        ),
                        name="letter_has_its_message_until_it_ends",
                    ),
                ],
            },
        )
    ]
