# ruff: noqa: RUF012 - as Django writes it
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("work", "0001_start_the_flows")]

    operations = [migrations.DeleteModel(name="EffectRow")]
