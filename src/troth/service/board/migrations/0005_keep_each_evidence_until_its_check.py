# ruff: noqa: RUF012 - Django reads lists here

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("board", "0004_remember_what_was_published")]

    operations = [
        migrations.AlterField(model_name="pushedrow", name="control", field=models.CharField(max_length=160)),
        migrations.AddField(
            model_name="pushedrow",
            name="judged_at",
            field=models.DateTimeField(help_text="When the control answered with it; it waits where empty.", null=True),
        ),
        migrations.AddConstraint(
            model_name="pushedrow",
            constraint=models.UniqueConstraint(fields=("control", "at"), name="pushed_once"),
        ),
    ]
