# ruff: noqa: RUF012 - as Django generated it

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mail", "0001_start_the_letters"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="letterrow",
            index=models.Index(fields=["message_id"], name="letter_message_id"),
        ),
    ]
