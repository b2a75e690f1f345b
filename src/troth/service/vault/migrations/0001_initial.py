# ruff: noqa: RUF012 - as Django generated it

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("core", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="DomainRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True)),
            ],
            options={"db_table": "vault_domain"},
        ),
        migrations.CreateModel(
            name="TokenRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token", models.CharField(max_length=64)),
                ("lookup", models.BinaryField(max_length=32)),
                ("format", models.CharField(max_length=20)),
                ("sealed", models.BinaryField()),
                ("made_at", models.DateTimeField()),
                (
                    "domain",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="vault.domainrow"
                    ),
                ),
                (
                    "subject",
                    models.ForeignKey(
                        db_index=False,
                        help_text="Whose value it is: sealed and looked up under that person's key, and gone with it.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tokens",
                        to="core.subject",
                    ),
                ),
            ],
            options={
                "db_table": "vault_token",
                "indexes": [
                    models.Index(
                        condition=models.Q(("subject__isnull", False)), fields=["subject"], name="token_of_subject"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("token",), name="token_is_unique"),
                    models.UniqueConstraint(fields=("lookup",), name="value_has_one_token_in_its_domain"),
                ],
            },
        ),
    ]
