# ruff: noqa: RUF012 - as Django generated it

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("core", "0001_initial"), ("mail", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Disclosure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recipient", models.CharField(help_text="Its name in the declaration.", max_length=160)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("notice", "Notice"),
                            ("export", "Export"),
                            ("share", "Share"),
                            ("processor", "Processor"),
                            ("legal_demand", "Legal Demand"),
                            ("sale", "Sale"),
                        ],
                        max_length=16,
                    ),
                ),
                ("purpose", models.CharField(max_length=160)),
                ("categories", models.JSONField(default=list)),
                ("people", models.PositiveIntegerField(help_text="How many it was about.")),
                ("at", models.DateTimeField()),
                (
                    "case",
                    models.CharField(
                        blank=True, default="", help_text="The reference of the case it was for.", max_length=24
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.entryrow"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DisclosureSubject",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject", models.CharField(max_length=80)),
                ("at", models.DateTimeField(help_text="When the disclosure was, for the period.")),
                (
                    "disclosure",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="concerned",
                        to="disclosures.disclosure",
                    ),
                ),
            ],
            options={"db_table": "disclosures_disclosure_subject"},
        ),
        migrations.CreateModel(
            name="RecipientNotification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("case", models.CharField(help_text="The reference of the case.", max_length=24)),
                ("recipient", models.CharField(max_length=160)),
                ("right", models.CharField(max_length=16)),
                (
                    "why",
                    models.CharField(
                        help_text="What shows that they have the data: register, feed, or unshown.", max_length=10
                    ),
                ),
                ("made_at", models.DateTimeField()),
                (
                    "ended",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("told", "Told"),
                            ("nothing_sent", "Nothing Sent"),
                            ("impossible", "Impossible"),
                            ("disproportionate", "Disproportionate"),
                        ],
                        default="",
                        help_text="How staff settled it.",
                        max_length=16,
                    ),
                ),
                ("ended_at", models.DateTimeField(null=True)),
                ("by", models.CharField(blank=True, default="", help_text="A pseudonym of staff.", max_length=80)),
                (
                    "letter",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="mail.letterrow"
                    ),
                ),
            ],
            options={"db_table": "disclosures_recipient_notification"},
        ),
        migrations.AddIndex(model_name="disclosure", index=models.Index(fields=["at"], name="disclosure_at")),
        migrations.AddIndex(
            model_name="disclosure", index=models.Index(fields=["recipient", "-at"], name="disclosure_recipient")
        ),
        migrations.AddConstraint(
            model_name="disclosure",
            constraint=models.CheckConstraint(
                condition=models.Q(("people__gte", 1)), name="disclosure_is_about_somebody"
            ),
        ),
        migrations.AddConstraint(
            model_name="disclosure",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["notice", "export", "share", "processor", "legal_demand", "sale"])),
                name="disclosure_kind_is_known",
            ),
        ),
        migrations.AddIndex(model_name="disclosuresubject", index=models.Index(fields=["at"], name="concerned_at")),
        migrations.AddConstraint(
            model_name="disclosuresubject",
            constraint=models.UniqueConstraint(fields=("subject", "disclosure"), name="concerned_once_by_each_name"),
        ),
        migrations.AddIndex(
            model_name="recipientnotification", index=models.Index(fields=["made_at"], name="notice_made")
        ),
        migrations.AddIndex(
            model_name="recipientnotification",
            index=models.Index(
                condition=models.Q(("ended", ""), ("letter", None)), fields=["id"], name="notice_for_staff"
            ),
        ),
        migrations.AddConstraint(
            model_name="recipientnotification",
            constraint=models.UniqueConstraint(fields=("case", "recipient"), name="notice_is_owed_once"),
        ),
        migrations.AddConstraint(
            model_name="recipientnotification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended", ""), ("ended_at__isnull", True)),
                    models.Q(models.Q(("ended", ""), _negated=True), ("ended_at__isnull", False)),
                    _connector="OR",
                ),
                name="notice_ended_says_when",
            ),
        ),
    ]
