# ruff: noqa: RUF012 - Django reads these lists once, and the convention is lists
"""A notice says what shows that the recipient has the data, and staff may find that nothing went there."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("disclosure", "0001_start_the_register")]

    operations = [
        migrations.AlterField(
            model_name="notice",
            name="why",
            field=models.CharField(
                help_text="What shows that they have the data: register, feed, or unshown.", max_length=10
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="ended",
            field=models.CharField(
                blank=True,
                choices=[
                    ("told", "Told"),
                    ("nothing_sent", "Nothing Sent"),
                    ("impossible", "Impossible"),
                    ("disproportionate", "Disproportionate"),
                ],
                default="",
                help_text="How staff settled it.",
                max_length=16,
            ),
        ),
    ]
