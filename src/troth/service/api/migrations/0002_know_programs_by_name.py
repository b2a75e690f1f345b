# ruff: noqa: RUF012 - Django reads these lists once, and the convention is lists
from django.db import migrations, models
from django.db.models import F


def _name_programs(apps, schema_editor) -> None:  # type: ignore[no-untyped-def]
    """Every token so far is the first of its program."""
    apps.get_model("api", "Token").objects.update(program=F("name"))


class Migration(migrations.Migration):
    dependencies = [
        ("api", "0001_start_the_api"),
    ]

    operations = [
        migrations.RunSQL("DELETE FROM api_answered", migrations.RunSQL.noop),  # kept for two days, for retries
        migrations.RemoveConstraint(model_name="answered", name="answered_once"),
        migrations.RemoveField(model_name="answered", name="token"),
        migrations.AddField(
            model_name="answered",
            name="program",
            field=models.CharField(default="", max_length=40),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="answered",
            constraint=models.UniqueConstraint(fields=("program", "key"), name="answered_once"),
        ),
        migrations.AddField(
            model_name="token",
            name="program",
            field=models.CharField(
                db_index=True, default="", help_text="Such as shop or crm; no person.", max_length=40
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="token",
            name="name",
            field=models.CharField(
                help_text="Of this token: that of its program, for the first.", max_length=80, unique=True
            ),
        ),
        migrations.RunPython(_name_programs, migrations.RunPython.noop),
    ]
