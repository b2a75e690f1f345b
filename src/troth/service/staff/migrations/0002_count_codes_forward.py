# ruff: noqa: RUF012 - Django reads lists here

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("staff", "0001_start_the_staff"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="member",
            name="last_code",
        ),
        migrations.AddField(
            model_name="member",
            name="last_step",
            field=models.BigIntegerField(help_text="Of which half minute the code was that was used last.", null=True),
        ),
    ]
