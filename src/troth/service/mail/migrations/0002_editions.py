# ruff: noqa: RUF012 - as Django generated it

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mail", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="RateSlot",
            fields=[
                ("name", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("free_at", models.DateTimeField()),
            ],
            options={
                "db_table": "mail_rate_slot",
            },
        ),
        migrations.CreateModel(
            name="Edition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(help_text="A registered kind (`Duty.editions`).", max_length=40)),
                ("about", models.CharField(help_text="A reference such as newsletter:monthly.", max_length=80)),
                ("purpose", models.CharField(blank=True, help_text="Empty for what the law demands.", max_length=160)),
                ("content", models.JSONField(help_text="The company's own text.")),
                ("plan_hash", models.CharField(max_length=80, unique=True)),
                (
                    "planned",
                    models.PositiveIntegerField(help_text="How many people it would have gone to when it was planned."),
                ),
                ("actor", models.CharField(help_text="Who planned it, by pseudonym.", max_length=80)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("sending", "Sending"),
                            ("paused", "Paused"),
                            ("finished", "Finished"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="draft",
                        max_length=12,
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("send_at", models.DateTimeField(help_text="Not before.", null=True)),
                ("until", models.DateTimeField(help_text="When trying makes no sense any more.", null=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "mail_edition",
                "indexes": [models.Index(fields=["about", "made_at"], name="edition_about")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", False), ("state__in", ["finished", "cancelled"])),
                            models.Q(("ended_at__isnull", True), ("state__in", ["draft", "sending", "paused"])),
                            _connector="OR",
                        ),
                        name="edition_has_an_end_once_it_ended",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DeliveryGroup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("made_at", models.DateTimeField()),
                ("keys", models.BinaryField(null=True)),
                (
                    "edition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="groups", to="mail.edition"
                    ),
                ),
            ],
            options={
                "db_table": "mail_delivery_group",
            },
        ),
        migrations.CreateModel(
            name="EditionDelivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveSmallIntegerField(help_text="Its place in the group's keys.")),
                ("fingerprint", models.CharField(max_length=40)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("handing_over", "Handing Over"),
                            ("sent", "Sent"),
                            ("refused", "Refused"),
                            ("stopped", "Stopped"),
                            ("in_doubt", "In Doubt"),
                        ],
                        default="queued",
                        max_length=12,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True, help_text="A code: why it stopped, or what the server said.", max_length=40
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("not_before", models.DateTimeField(null=True)),
                (
                    "handed_at",
                    models.DateTimeField(help_text="When it was committed that it leaves now.", null=True),
                ),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "report",
                    models.CharField(
                        blank=True, help_text="What came back: gone, later, ours or complaint.", max_length=12
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="deliveries", to="mail.deliverygroup"
                    ),
                ),
                (
                    "edition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="deliveries", to="mail.edition"
                    ),
                ),
            ],
            options={
                "db_table": "mail_delivery",
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True)), fields=["edition"], name="delivery_open"
                    ),
                    models.Index(fields=["fingerprint"], name="delivery_fingerprint"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("edition", "fingerprint"), name="delivery_is_one_for_each_person"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("state__in", ["queued", "handing_over"])),
                            models.Q(
                                ("ended_at__isnull", False), ("state__in", ["sent", "refused", "stopped", "in_doubt"])
                            ),
                            _connector="OR",
                        ),
                        name="delivery_has_an_end_once_it_ended",
                    ),
                ],
            },
        ),
    ]
