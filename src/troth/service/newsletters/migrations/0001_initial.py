# ruff: noqa: RUF012 - as Django generated it

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("mail", "0005_counted_deliveries")]

    operations = [
        migrations.CreateModel(
            name="SignUp",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("list", models.CharField(max_length=40)),
                ("fingerprint", models.CharField(max_length=40)),
                ("sealed", models.BinaryField(null=True)),
                ("shown", models.CharField(help_text="Hash of the text by which it was asked for.", max_length=80)),
                (
                    "tracking",
                    models.CharField(
                        blank=True, help_text="Hash of the text that allows counting, if any.", max_length=80
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("mailed", models.PositiveSmallIntegerField(default=0, help_text="How often the link was mailed.")),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("added_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "newsletters_signup",
                "indexes": [models.Index(fields=["asked_at"], name="signup_asked_at")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("confirmed_at", None)),
                        fields=("list", "fingerprint"),
                        name="signup_waits_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("added_at", None),
                            models.Q(("added_at__gte", models.F("confirmed_at")), ("confirmed_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="signup_is_confirmed_before_it_is_added",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReadCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField()),
                ("count", models.PositiveIntegerField()),
                (
                    "edition",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="mail.edition"),
                ),
            ],
            options={
                "db_table": "newsletters_read_count",
                "constraints": [
                    models.UniqueConstraint(fields=("edition", "number"), name="read_count_is_one_for_each_link")
                ],
            },
        ),
    ]
