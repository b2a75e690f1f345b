# ruff: noqa: RUF012 - as Django generated it

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="UsedHandover",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("until", models.DateTimeField()),
            ],
            options={
                "db_table": "portal_used_handover",
            },
        ),
        migrations.CreateModel(
            name="MailedLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=40)),
                ("matter", models.PositiveBigIntegerField(help_text="The row of the duty that the link is about.")),
                ("language", models.CharField(max_length=8)),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("made_at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "open_until",
                    models.DateTimeField(help_text="The end of the session that its use opened.", null=True),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0, help_text="Wrong answers given in its session.")),
            ],
            options={
                "db_table": "portal_mailed_link",
                "indexes": [models.Index(fields=["matter", "kind"], name="link_of_matter")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("until__gt", models.F("made_at"))), name="link_has_a_period"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OneTimeCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=40)),
                ("matter", models.PositiveBigIntegerField(help_text="The row of the duty that the code is about.")),
                ("digest", models.BinaryField(max_length=32)),
                ("until", models.DateTimeField()),
                ("tries", models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                "db_table": "portal_one_time_code",
                "constraints": [models.UniqueConstraint(fields=("kind", "matter"), name="code_is_one_for_each_matter")],
            },
        ),
    ]
