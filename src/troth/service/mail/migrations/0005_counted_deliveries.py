from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mail", "0004_edition_checks")]  # noqa: RUF012 - as Django generated it

    operations = [  # noqa: RUF012
        migrations.AddField(
            model_name="editiondelivery",
            name="is_counted",
            field=models.BooleanField(
                db_default=False, help_text="Whether an image or links in it count how it is read."
            ),
        ),
    ]
