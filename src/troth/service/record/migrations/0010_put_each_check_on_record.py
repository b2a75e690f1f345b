# ruff: noqa: RUF012 - Django reads lists here

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("record", "0009_retract_checks")]

    operations = [
        migrations.AddField(
            "checkrow",
            "entry",
            models.OneToOneField(
                help_text="Empty: made before there were.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="check_made",
                to="record.entryrow",
            ),
        ),
        migrations.AddField(
            "checkrow",
            "salt",
            models.BinaryField(help_text="Keeps what the entry commits to from being guessed.", null=True),
        ),
        migrations.AddConstraint(
            "checkrow",
            models.CheckConstraint(
                condition=Q(entry__isnull=True, salt__isnull=True) | Q(entry__isnull=False, salt__isnull=False),
                name="check_on_record_has_its_salt",
            ),
        ),
    ]
