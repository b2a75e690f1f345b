# ruff: noqa: RUF012 - Django reads these lists once, and the convention is lists
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0006_weigh_objections"),
    ]

    operations = [
        migrations.CreateModel(
            name="Unproved",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mark", models.BinaryField(max_length=32, unique=True)),
                ("sent", models.JSONField(default=list, help_text="When, each.")),
                ("until", models.DateTimeField(help_text="It counts no more then, and goes.")),
            ],
        ),
        migrations.AddField(
            model_name="case",
            name="program",
            field=models.CharField(blank=True, default="", help_text="Which opened it, over the API.", max_length=40),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("program", ""), _negated=True), fields=["program", "id"], name="case_of_program"
            ),
        ),
        migrations.AddIndex(
            model_name="unproved",
            index=models.Index(fields=["until"], name="unproved_until"),
        ),
    ]
