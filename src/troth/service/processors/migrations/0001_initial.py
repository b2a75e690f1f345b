# ruff: noqa: RUF012 - as Django generated it

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="ListEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("system", models.CharField(max_length=160)),
                ("digest", models.CharField(max_length=80, unique=True)),
                ("sealed", models.BinaryField()),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="SyncedList",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("system", models.CharField(max_length=160, unique=True)),
                ("reconciled_at", models.DateTimeField(null=True)),
                ("changes_seen_at", models.DateTimeField(null=True)),
                ("has_webhook", models.BooleanField(default=False)),
                ("figures", models.JSONField(default=dict, help_text="Counts and ids of campaigns; nothing personal.")),
            ],
        ),
        migrations.CreateModel(
            name="ListedPerson",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("system", models.CharField(max_length=160)),
                ("fingerprint", models.CharField(max_length=80)),
                ("sealed", models.BinaryField()),
                (
                    "status",
                    models.CharField(help_text="The processor's word; “adding” until it is seen there.", max_length=20),
                ),
                (
                    "due",
                    models.PositiveIntegerField(default=0, help_text="How often a choice or an erasure changed since."),
                ),
                ("due_at", models.DateTimeField(help_text="Since when.", null=True)),
                ("is_erased", models.BooleanField(default=False)),
                ("since", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("due__gt", 0)), fields=["system"], name="listed_person_due")
                ],
                "constraints": [models.UniqueConstraint(fields=("system", "fingerprint"), name="listed_person_once")],
            },
        ),
    ]
