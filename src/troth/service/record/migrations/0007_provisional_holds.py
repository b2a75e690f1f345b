# ruff: noqa: RUF012 - Django reads lists here

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("record", "0006_lift_tombstones"),
    ]

    operations = [
        migrations.AddField(
            model_name="hold",
            name="is_provisional",
            field=models.BooleanField(default=False, help_text="Whoever wants it has not shown who they are yet."),
        ),
    ]
