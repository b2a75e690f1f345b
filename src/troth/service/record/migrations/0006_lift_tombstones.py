# ruff: noqa: RUF012 - Django reads lists here

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("record", "0005_remember_replays"),
    ]

    operations = [
        migrations.AddField(
            model_name="tombstone",
            name="returned_at",
            field=models.DateTimeField(
                help_text="When it was put on record that they came back themselves.", null=True
            ),
        ),
        migrations.AddConstraint(
            model_name="tombstone",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("returned_at__isnull", True), ("returned_at__gte", models.F("erased_at")), _connector="OR"
                ),
                name="tombstone_is_lifted_after_the_erasure",
            ),
        ),
    ]
