# ruff: noqa: RUF012 - as Django generated it

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("vault", "0001_start_the_vault")]

    operations = [
        migrations.RemoveConstraint(model_name="tokenrow", name="token_is_unique_in_its_domain"),
        migrations.RemoveConstraint(model_name="tokenrow", name="value_has_one_token_in_a_domain"),
        migrations.AddConstraint(
            model_name="tokenrow",
            constraint=models.UniqueConstraint(fields=("token",), name="token_is_unique"),
        ),
        migrations.AddConstraint(
            model_name="tokenrow",
            constraint=models.UniqueConstraint(fields=("lookup",), name="value_has_one_token_in_its_domain"),
        ),
    ]
