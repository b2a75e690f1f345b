# ruff: noqa: RUF012 - Django reads lists here

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("record", "0004_keep_what_outsiders_signed"),
    ]

    operations = [
        migrations.CreateModel(
            name="Replay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("run_id", models.CharField(max_length=80, unique=True)),
                ("plan_hash", models.CharField(max_length=80)),
                ("restored_from", models.DateTimeField()),
                ("found", models.JSONField(default=dict)),
                ("review", models.PositiveIntegerField(default=0)),
                ("begun_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("left", models.JSONField(default=dict)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("plan_hash",),
                        name="replay_of_a_plan_is_open_once",
                    )
                ],
            },
        ),
    ]
