"""A help desk as a Django application of somebody else, with Troth's hook in it."""

from __future__ import annotations

import json
import os
from pathlib import Path

FOLDER = Path(os.environ["DESK_FOLDER"])

SECRET_KEY = "of a test"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.hook.site.urls"
INSTALLED_APPS = ["tests.hook.site.apps.DeskConfig", "troth.hook.django"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"]
DATABASES = {"default": {**json.loads(os.environ["DESK_DATABASE"]), "ATOMIC_REQUESTS": True}}
MIGRATION_MODULES = {"desk": None}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

TROTH_HOOK = os.environ.get("DESK_HOOK", "tests.hook.site.privacy.hook")
TROTH_HOOK_SECRET = os.environ["TROTH_HOOK_SECRET"]
