"""The service: a Django project whose apps are the duties that the policy promises.

`configuration.Settings` is read once from the environment; `server.serve` starts it; `wsgi.application` is it, and
`wsgi.mounted` puts it beside a company's own site. Importing this package costs nothing: Django is imported by the
modules that need it.
"""

from troth.service.configuration import Profile, ServiceError, Settings, SettingsError, UnsafeStart

__all__ = ["Profile", "ServiceError", "Settings", "SettingsError", "UnsafeStart"]
