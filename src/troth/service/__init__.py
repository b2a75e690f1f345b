"""The service: a Django project with one app per duty of the policy.

`configuration.Settings` is read once from the environment; `server.serve` starts the service; `wsgi.application` is its
WSGI application, and `wsgi.mounted` serves it beside a company's own site. Importing this package is cheap: modules
import Django only when they need it.
"""

from troth.registration import before_first_use
from troth.service.configuration import Profile, ServiceError, Settings, SettingsError, UnsafeStart
from troth.service.duty import register

before_first_use(register)

__all__ = ["Profile", "ServiceError", "Settings", "SettingsError", "UnsafeStart"]
