# ruff: noqa: RUF012 - Django reads these lists once, and the convention is lists
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0003_restrict_once"),
        ("record", "0006_lift_tombstones"),
    ]

    operations = [
        migrations.CreateModel(
            name="Document",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sealed", models.BinaryField(null=True)),
                ("asked_at", models.DateTimeField()),
                ("came_at", models.DateTimeField(null=True)),
                ("until", models.DateTimeField(help_text="It is destroyed by then, decided or not.")),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="document", to="cases.case"
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="record.subject"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["until"], name="document_until")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("until__gt", models.F("asked_at"))), name="document_has_a_period"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("came_at__isnull", True), ("sealed__isnull", True)),
                            models.Q(("came_at__isnull", False), ("sealed__isnull", False)),
                            _connector="OR",
                        ),
                        name="document_says_when_it_came",
                    ),
                ],
            },
        ),
    ]
