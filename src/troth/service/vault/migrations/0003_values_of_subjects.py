# ruff: noqa: RUF012 - as Django generated it

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("record", "0004_keep_what_outsiders_signed"), ("vault", "0002_no_token_in_two_domains")]

    operations = [
        migrations.AddField(
            model_name="tokenrow",
            name="subject",
            field=models.ForeignKey(
                db_index=False,
                help_text="Whose value it is: sealed and looked up under that person's key, and gone with it.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="tokens",
                to="record.subject",
            ),
        ),
        migrations.AddIndex(
            model_name="tokenrow",
            index=models.Index(
                condition=models.Q(("subject__isnull", False)), fields=["subject"], name="token_of_subject"
            ),
        ),
    ]
