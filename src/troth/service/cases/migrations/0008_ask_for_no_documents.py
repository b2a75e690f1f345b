# ruff: noqa: RUF012 - Django reads these lists once, and the convention is lists
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("cases", "0007_know_programs_and_unproved_addresses")]

    operations = [migrations.DeleteModel(name="Document")]
