# ruff: noqa: RUF012 - as Django generated it

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="DomainRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True)),
            ],
            options={
                "db_table": "vault_domain",
            },
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
            ],
            options={
                "db_table": "vault_token",
                "constraints": [
                    models.UniqueConstraint(fields=("domain", "token"), name="token_is_unique_in_its_domain"),
                    models.UniqueConstraint(fields=("domain", "lookup"), name="value_has_one_token_in_a_domain"),
                ],
            },
        ),
    ]
