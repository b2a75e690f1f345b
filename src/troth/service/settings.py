"""Django's settings, built from `Settings` only.

``DEBUG`` stays off in both profiles: Django's debug pages print local variables, and ours hold other people's data.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from troth.service.configuration import Database, Settings
from troth.service.duty import DUTIES
from troth.service.logs import described

TROTH = Settings.read()
"""Settings of this process. Code outside Django takes them as a parameter."""

_HERE = Path(__file__).parent


def connection_of(database: Database) -> dict[str, Any]:
    """Django's settings for *database*, with the durability that a ledger needs."""
    if database.engine == "postgresql":
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": database.name,
            "USER": database.user,
            "PASSWORD": database.password,
            "HOST": database.host,
            "PORT": database.port,
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            # The driver binds parameters itself in C, instead of writing them into the text of each statement.
            "OPTIONS": {"application_name": "troth", "server_side_binding": True, **database.options},
        }
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": database.name,
        "OPTIONS": {
            "timeout": 20,
            # Writers take the lock at BEGIN, so that none fails halfway.
            "transaction_mode": "IMMEDIATE",
            # FULL: an acknowledged entry survives a power cut. secure_delete: erased data is overwritten. A job
            # checkpoints the WAL every few minutes; a writer does so only when it has grown to 80 MB.
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
                " PRAGMA wal_autocheckpoint=20000;"
            ),
        },
    }


DEBUG = False
SECRET_KEY = TROTH.secret_key
ALLOWED_HOSTS = list(TROTH.hosts)
ROOT_URLCONF = "troth.service.urls"
WSGI_APPLICATION = "troth.service.wsgi.application"
DATABASES = {"default": connection_of(TROTH.database)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("es", "Español")]
FORMAT_MODULE_PATH = ["troth.service.formats"]
USE_I18N = True
LOCALE_PATHS = [_HERE / "locale"]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    *DUTIES,
    "troth.service.core.jobs",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "troth.service.headers.headers",
    "troth.service.headers.methods",
    "troth.service.unavailable.writes",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "troth.service.languages.languages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "troth.service.staff.session_timeout.presence",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "troth.service.unavailable.NotReady",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [_HERE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "troth.service.pages.site",
            ],
            "builtins": ["troth.service.labels"],
        },
    }
]

# Static files are few and all ours: served from the package, cached for an hour.
STATIC_URL = "/static/"
STATICFILES_DIRS = [_HERE / "static"]
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 3600
WHITENOISE_ALLOW_ALL_ORIGINS = False

# --- browser security ----------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "style-src": [SELF],
        "img-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
SECURE_REFERRER_POLICY = "no-referrer"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
if TROTH.is_production:
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^health/"]  # probed from beside the server without TLS; no personal data
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = False  # other subdomains are not ours to decide about

SESSION_COOKIE_NAME = "__Host-troth-session" if TROTH.is_production else "troth-session"
SESSION_COOKIE_SECURE = TROTH.is_production
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_NAME = "__Host-troth-csrf" if TROTH.is_production else "troth-csrf"
CSRF_COOKIE_AGE = None  # until the browser closes; only pages of staff set it
CSRF_COOKIE_SECURE = TROTH.is_production
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "troth.service.pages.csrf_failure"

# Uploads stay in memory until they are sealed, never in a file in clear. A larger body is read to its end and its files
# are dropped; the page says so.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024 + 64 * 1024

# --- staff ---------------------------------------------------------------------------------------------------------

LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "console"
LOGOUT_REDIRECT_URL = "notice"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Staff join by invitation; allauth's e-mails, caches and address checks are not used.
ACCOUNT_ADAPTER = "troth.service.staff.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_RATE_LIMITS = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
ACCOUNT_FORMS = {"login": "troth.service.staff.forms.SignIn"}
MFA_ADAPTER = "troth.service.staff.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# A passkey alone signs in, so it must require a fingerprint, face or PIN: two factors in one.
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not TROTH.is_production
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_RATE_LIMITS = False
MFA_TOTP_TOLERANCE = 1  # 30 s either way; a code's counter must increase, whatever the clock
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_FORMS = {"authenticate": "troth.service.staff.forms.Code", "reauthenticate": "troth.service.staff.forms.CodeAgain"}
SOCIALACCOUNT_ADAPTER = "troth.service.staff.adapters.CompanyLoginAdapter"
SOCIALACCOUNT_AUTO_SIGNUP = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": list(TROTH.company_login)}}

# --- logs: what happened and where, never whose ---------------------------------------------------------------------

LOGGING = described(as_json=TROTH.is_production)
