"""The service: a Django project with one app per duty of the policy.

`configuration.Settings` is read once from the environment; `server.serve` starts the service; `wsgi.application` is its
WSGI application, and `wsgi.mounted` serves it beside a company's own site. Importing this package is cheap, and adds
the duties (`duty.Duty`) to the library's entries, controls and sections.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from troth.lazy_imports import lazy_imports
from troth.registration import before_first_use
from troth.service import duty

if TYPE_CHECKING:
    from troth.service.configuration import Profile, ServiceError, Settings, SettingsError, UnsafeStart

__all__ = ["Profile", "ServiceError", "Settings", "SettingsError", "UnsafeStart"]

before_first_use("entries", duty.register_entries)
before_first_use("controls", duty.register_controls)
before_first_use("sections", duty.register_sections)

__getattr__ = lazy_imports(__name__, {"configuration": "Profile ServiceError Settings SettingsError UnsafeStart"})
