# ruff: noqa: RUF012 - as Django generated it

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("core", "0001_initial"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="Approval",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("purpose", models.CharField(max_length=40)),
                ("about", models.CharField(help_text="A reference, such as case:R-2026-0187.", max_length=160)),
                ("plan_hash", models.CharField(max_length=80)),
                ("by", models.CharField(max_length=80)),
                ("at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                (
                    "used_for",
                    models.CharField(blank=True, default="", help_text="The use; empty: not used up.", max_length=80),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("purpose", "about", "plan_hash", "by"), name="staff_approval_is_one"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("until__gt", models.F("at"))), name="staff_approval_has_an_end"
                    ),
                ]
            },
        ),
        migrations.CreateModel(
            name="Attempts",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mark", models.BinaryField(max_length=32, unique=True)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("latest_at", models.DateTimeField()),
                ("locked_until", models.DateTimeField(null=True)),
            ],
            options={"indexes": [models.Index(fields=["latest_at"], name="staff_attempts_latest_at")]},
        ),
        migrations.CreateModel(
            name="Confidence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sealed_text", models.BinaryField(null=True)),
                ("told_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", True), ("sealed_text__isnull", False)),
                            models.Q(("closed_at__isnull", False), ("sealed_text__isnull", True)),
                            _connector="OR",
                        ),
                        name="staff_confidence_goes_when_closed",
                    )
                ]
            },
        ),
        migrations.CreateModel(
            name="FactorSecret",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("ref", models.CharField(max_length=40, unique=True)),
                ("sealed", models.BinaryField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={"db_table": "staff_factor_secret"},
        ),
        migrations.CreateModel(
            name="GrantLock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))
            ],
            options={
                "db_table": "staff_grant_lock",
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="staff_grant_lock_is_one")],
            },
        ),
        migrations.CreateModel(
            name="Refusal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("by", models.CharField(max_length=80)),
                ("why", models.CharField(max_length=20)),
                ("purpose", models.CharField(blank=True, max_length=160)),
                ("at", models.DateTimeField()),
            ],
            options={"indexes": [models.Index(fields=["at"], name="staff_refusal_at")]},
        ),
        migrations.CreateModel(
            name="StaffMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("pseudonym", models.CharField(max_length=80, unique=True)),
                ("invited_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField(help_text="The last sign of life, to the hour.", null=True)),
                ("left_at", models.DateTimeField(null=True)),
                (
                    "last_step",
                    models.BigIntegerField(
                        help_text="Of which half minute the code was that was used last.", null=True
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="member", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={"db_table": "staff_member"},
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token_hash", models.BinaryField(max_length=32, unique=True)),
                ("made_at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="invitations", to="staff.staffmember"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Grant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("right", models.CharField(max_length=40)),
                (
                    "role",
                    models.CharField(
                        blank=True, help_text="The role that it came with; empty: by itself.", max_length=40
                    ),
                ),
                (
                    "given_by",
                    models.CharField(blank=True, help_text="A pseudonym; empty: the operator.", max_length=80),
                ),
                ("sealed_reason", models.BinaryField()),
                ("given_at", models.DateTimeField()),
                ("starts_at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("reviewed_at", models.DateTimeField(help_text="When somebody last said that it is still needed.")),
                ("used_at", models.DateTimeField(help_text="To the day.", null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="grants", to="staff.staffmember"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Undertaking",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("document", models.CharField(help_text="The hash of the text that was signed.", max_length=80)),
                ("signed_at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="undertakings", to="staff.staffmember"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AccessRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject", models.CharField(max_length=80)),
                ("by", models.CharField(max_length=80)),
                ("role", models.CharField(max_length=40)),
                ("purpose", models.CharField(max_length=160)),
                (
                    "about",
                    models.CharField(blank=True, help_text="A reference, such as case:R-2026-0187.", max_length=160),
                ),
                ("at", models.DateTimeField()),
                (
                    "entry",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.entryrow"
                    ),
                ),
            ],
            options={
                "db_table": "staff_access_log",
                "indexes": [
                    models.Index(fields=["subject", "-at"], name="staff_access_log_of_subject"),
                    models.Index(fields=["at"], name="staff_access_log_at"),
                ],
            },
        ),
        migrations.AddIndex(model_name="staffmember", index=models.Index(fields=["left_at"], name="staff_member_left")),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(("until__gt", models.F("made_at"))), name="staff_invitation_has_an_end"
            ),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.CheckConstraint(
                condition=models.Q(("until__gt", models.F("starts_at"))), name="staff_grant_has_an_end"
            ),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("member", "right"),
                name="staff_grant_is_open_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="undertaking",
            constraint=models.CheckConstraint(
                condition=models.Q(("until__gt", models.F("signed_at"))), name="staff_undertaking_has_an_end"
            ),
        ),
    ]
