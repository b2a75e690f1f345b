# ruff: noqa: RUF012 - Django reads lists here
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("board", "0001_remember_what_the_board_saw")]

    operations = [
        migrations.CreateModel(
            name="DeclaredRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("declaration", models.CharField(max_length=80)),
                ("policy", models.CharField(max_length=80)),
            ],
            options={"db_table": "board_declared"},
        ),
    ]
