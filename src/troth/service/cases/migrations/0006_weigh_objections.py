# ruff: noqa: RUF012 - Django reads these lists once, and the convention is lists
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0005_know_cases_by_several_names"),
    ]

    operations = [
        migrations.AlterField(
            model_name="case",
            name="needs",
            field=models.CharField(
                blank=True,
                choices=[
                    ("review", "Review"),
                    ("weighing", "Weighing"),
                    ("approval", "Approval"),
                    ("answer", "Answer"),
                    ("window", "Window"),
                    ("access", "Access"),
                    ("systems", "Systems"),
                ],
                default="",
                max_length=16,
            ),
        ),
    ]
