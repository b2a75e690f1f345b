"""Configuration of the service, from environment variables: read once, complete and valid once built, passed down.

`Settings.read` turns the environment into a value, or stops with the name of the variable and the fix. It creates no
file and opens no connection, so that tools may import Django's settings anywhere. `troth.service.safety_checks` checks
at the start that the values are also *safe*.
"""

from __future__ import annotations

import contextlib
import enum
import getpass
import ipaddress
import os
import re
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from troth.errors import TrothError
from troth.service.duty import gathered

_SECRET_KEY_CHARACTERS_MIN = 50
_SECRET_BYTES_MAX = 65_536
_LOCALHOST = ("localhost", "127.0.0.1", "[::1]")


class ServiceError(TrothError):
    """The service cannot do what was requested."""


class SettingsError(ServiceError):
    """An environment variable has a wrong value; the message names it and the fix."""


class UnsafeStart(ServiceError):
    """The production profile would break promises of the policy. *problems* lists every reason."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"Troth does not start in the production profile with this configuration:\n{lines}")
        self.problems = problems


class Profile(enum.StrEnum):
    """``development`` serves http://localhost only; ``production`` refuses to start unsafe."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class Database:
    """Troth's own database: one SQLite file, or a PostgreSQL database."""

    engine: str
    """``sqlite`` or ``postgresql``."""
    name: str
    """File path, or name of the database."""
    user: str = ""
    password: str = field(default="", repr=False)
    host: str = ""
    port: str = ""
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def accounts(self) -> tuple[str, ...]:
        """Accounts that may read it, by the names of `troth.stores`: our role, or our account and the machine's
        superuser."""
        return (self.user,) if self.engine == "postgresql" else tuple({getpass.getuser(), "root"})

    def url(self) -> str:
        """This database as a URL. It may hold a password: do not keep it."""
        if self.engine == "sqlite":
            return f"sqlite:///{quote(self.name)}"
        user = quote(self.user, safe="") + (f":{quote(self.password, safe='')}" if self.password else "")
        is_socket = self.host.startswith("/")
        place = "" if is_socket else self.host + (f":{self.port}" if self.port else "")
        options = {**self.options, **({"host": self.host, "port": self.port or "5432"} if is_socket else {})}
        at = f"{user}@" if user else ""
        return f"postgresql://{at}{place}/{quote(self.name, safe='')}" + (f"?{urlencode(options)}" if options else "")


class MailTls(enum.StrEnum):
    """How the connection to a mail server is secured."""

    WRAPPED = "wrapped"
    """TLS from the first byte, on a port of its own."""
    STARTTLS = "starttls"
    """STARTTLS before any other command; a server without it receives no e-mail."""
    NONE = "none"
    """No encryption; for this machine only."""


@dataclass(frozen=True, slots=True)
class MailOAuth:
    """Where access tokens for mail come from (OAuth 2): by client credentials or, with a *refresh_token*, for the
    account that signed in."""

    url: str
    """The token endpoint."""
    client: str
    secret: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    scope: str = ""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where e-mail goes: a mail server, or a *folder* with one file per message (*maildir*: in that layout), or a
    *provider* with the *options* of its interface. With *oauth*, a server takes access tokens in place of a
    password."""

    host: str = ""
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    tls: MailTls = MailTls.STARTTLS
    folder: Path | None = None
    maildir: bool = False
    oauth: MailOAuth | None = None
    provider: str = ""
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox that is read: folder *box* of an IMAP server, or a maildir. With *oauth*, the server takes access
    tokens in place of a password."""

    host: str = ""
    port: int = 993
    user: str = ""
    password: str = field(default="", repr=False)
    box: str = "INBOX"
    is_encrypted: bool = True
    folder: Path | None = None
    oauth: MailOAuth | None = None


@dataclass(frozen=True, slots=True)
class SubjectLogin:
    """The company's OpenID Connect login for subjects. *claims* maps kinds of identifier to claims."""

    issuer: str
    client: str
    secret: str = field(repr=False)
    claims: Mapping[str, str] = field(default_factory=lambda: {"email": "email"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a deployment. The reference page ``settings.md`` lists the variables behind the fields."""

    profile: Profile
    home: Path
    database: Database
    declaration: Path
    hosts: tuple[str, ...]
    secret_key: str = field(repr=False)
    secret_key_given: bool
    """False if no key was configured: development then signs with a key that ends with the process."""
    mail: MailServer | None = None
    """None if production has no mail setting; `troth.service.safety_checks` refuses that."""
    mail_from: str = ""
    """Sender address of e-mail; empty: the organisation's."""
    mailboxes: tuple[Mailbox, ...] = ()
    """Mailboxes that are read, such as those for requests and for bounces."""
    handover_secret: str = field(default="", repr=False)
    """Secret with which the company's application signs the handover of signed-in people; empty: no handover."""
    company_login: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    """The company's OpenID Connect login for staff, in allauth's format; empty if there is none."""
    subject_login: SubjectLogin | None = None
    """The company's login for subjects; None if they are not asked to sign in."""
    webhook_hosts: frozenset[str] = frozenset()
    """Hosts that webhooks may reach even at private addresses."""
    webhook_networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    """Non-public networks that webhooks may reach."""

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Settings from *environment* (default: the process's own).

        Each variable may instead be in a file that ``NAME_FILE`` names. Raises `SettingsError`.
        """
        values = _Values(os.environ if environment is None else environment)
        profile = _profile(values)
        home = _folder(values.get("TROTH_HOME"))
        key, given = _secret_key(values, home)
        webhook_hosts, webhook_networks = _private_receivers(values.get("TROTH_WEBHOOKS_PRIVATE") or "")
        oauth = _mail_oauth(values)
        mail = _mail(values.get("TROTH_MAIL_URL"), profile, home, oauth)
        mailboxes = _mailboxes(values.get("TROTH_MAILBOX_URL") or "", oauth)
        if oauth is not None and all(place is None or place.oauth is None for place in (mail, *mailboxes)):
            raise SettingsError(
                "TROTH_MAIL_OAUTH_URL is set, but neither TROTH_MAIL_URL nor TROTH_MAILBOX_URL signs in with it; write "
                "smtp+oauth://user@host:587 or imaps+oauth://user@host/INBOX there, or unset TROTH_MAIL_OAUTH_URL"
            )
        return cls(
            profile=profile,
            home=home,
            database=_database(values.get("TROTH_DATABASE_URL"), home),
            declaration=Path(values.get("TROTH_DECLARATION") or "troth.yaml").expanduser().absolute(),
            hosts=_hosts(values.get("TROTH_HOSTS"), profile),
            secret_key=key,
            secret_key_given=given,
            mail=mail,
            mail_from=values.get("TROTH_MAIL_FROM") or "",
            mailboxes=mailboxes,
            handover_secret=values.get("TROTH_HANDOVER_SECRET") or "",
            company_login=_company_login(values),
            subject_login=_subject_login(values),
            webhook_hosts=webhook_hosts,
            webhook_networks=webhook_networks,
        )

    @property
    def is_production(self) -> bool:
        return self.profile is Profile.PRODUCTION

    @property
    def secret_key_path(self) -> Path:
        """File in which `prepare` keeps the signing key of an embedded installation."""
        return self.home / "secret-key"


def prepare(settings: Settings) -> Settings:
    """In development, create the home folder (0700), the SQLite file and, if none was given, a signing key (0600);
    return complete settings. In production, create nothing: `troth.service.safety_checks` refuses what is missing.

    Idempotent, also from several processes at once: the first to link the key wins.
    """
    if settings.is_production:
        return settings
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if settings.database.engine == "sqlite":
        # SQLite would create the file readable by everyone; its journals take the mode of the file.
        Path(settings.database.name).touch(mode=0o600)
    if settings.secret_key_given:
        return settings
    fresh = settings.home / f".secret-key-{secrets.token_hex(8)}"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(64))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, settings.secret_key_path)
    finally:
        fresh.unlink()
    return replace(settings, secret_key=_file("TROTH_HOME", settings.secret_key_path), secret_key_given=True)


def setting(name: str) -> Any:
    """The value of the variable *name*, which a duty registers, or of the file that ``NAME_FILE`` names. Raises
    `SettingsError`."""
    read = gathered("settings")[name]
    return read(_Values(os.environ).get(name) or "")


class _Values:
    """Environment variables, each read directly or from the file that its ``_FILE`` twin names."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def get(self, name: str) -> str | None:
        """The value of *name*; None if it is not set, or empty."""
        plain, path = self._environment.get(name) or None, self.file(name)
        if plain is not None and path is not None:
            raise SettingsError(f"{name} and {name}_FILE are both set; keep one of them")
        return plain if path is None else _file(f"{name}_FILE", path)

    def file(self, name: str) -> Path | None:
        path = self._environment.get(f"{name}_FILE")
        return Path(path) if path else None


def _file(name: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(_SECRET_BYTES_MAX + 1)
    except OSError as error:
        raise SettingsError(f"{name} names {path}, which cannot be read ({error.strerror}); check the path") from None
    if len(text) > _SECRET_BYTES_MAX:
        raise SettingsError(f"{name} names {path}, which is too large to hold one value; check the path")
    try:
        value = text.decode().strip()
    except UnicodeDecodeError:
        raise SettingsError(f"{name} names {path}, which is not a text file; check the path") from None
    if not value:
        raise SettingsError(f"{name} names {path}, which is empty; write the value into it")
    return value


def _profile(values: _Values) -> Profile:
    value = values.get("TROTH_PROFILE") or Profile.DEVELOPMENT
    try:
        return Profile(value)
    except ValueError:
        raise SettingsError("TROTH_PROFILE is neither 'development' nor 'production'; choose one") from None


def _folder(value: str | None) -> Path:
    if value is None:
        return Path("~/.troth").expanduser()
    home = Path(value).expanduser()
    if not home.is_absolute():
        raise SettingsError("TROTH_HOME is not an absolute path; write it from / or ~")
    if home.exists() and not home.is_dir():
        raise SettingsError(f"TROTH_HOME names {home}, which is not a folder; name a folder")
    return home


def _secret_key(values: _Values, home: Path) -> tuple[str, bool]:
    value, path = values.get("TROTH_SECRET_KEY"), values.file("TROTH_SECRET_KEY")
    kept = home / "secret-key"
    if value is None and kept.is_file():
        value, path = _file("TROTH_HOME", kept), kept
    if value is None:
        return secrets.token_urlsafe(64), False
    if path is not None and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SettingsError(f"TROTH_SECRET_KEY: others can read {path}; run: chmod 600 {path}")
    if len(value) < _SECRET_KEY_CHARACTERS_MIN or len(set(value)) < 5:
        raise SettingsError(
            f"TROTH_SECRET_KEY is too easy to guess: it needs {_SECRET_KEY_CHARACTERS_MIN} random characters; "
            "make one with: python -c 'import secrets; print(secrets.token_urlsafe(64))'"
        )
    return value, True


def _hosts(value: str | None, profile: Profile) -> tuple[str, ...]:
    hosts = tuple(host.strip().lower() for host in (value or "").split(",") if host.strip())
    for host in hosts:
        if "*" in host or "/" in host or any(character.isspace() for character in host):
            raise SettingsError("TROTH_HOSTS is a comma-separated list of host names, such as privacy.example.org")
    if profile is Profile.PRODUCTION:
        return hosts
    if stray := [host for host in hosts if not is_local(host)]:
        raise SettingsError(
            f"TROTH_HOSTS names {stray[0]}, but the development profile serves localhost only; "
            "set TROTH_PROFILE=production"
        )
    return tuple(dict.fromkeys((*_LOCALHOST, *hosts)))


_NETWORK_BITS_MIN = {4: 8, 6: 7}
"""10.0.0.0/8 and fc00::/7 are the largest private networks; anything larger includes public addresses."""


def _private_receivers(value: str) -> tuple[frozenset[str], tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]]:
    hosts, networks = set[str](), list[ipaddress.IPv4Network | ipaddress.IPv6Network]()
    for part in filter(None, (part.strip().lower() for part in value.split(","))):
        try:
            network = ipaddress.ip_network(part)
        except ValueError:
            if (
                re.fullmatch(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?", part) is None
                or not part.rpartition(".")[2].strip("-").isalpha()
            ):
                raise SettingsError(
                    "TROTH_WEBHOOKS_PRIVATE is a comma-separated list of host names and networks, such as "
                    "hooks.internal,10.1.0.0/16"
                ) from None
            hosts.add(part)
            continue
        if network.prefixlen < _NETWORK_BITS_MIN[network.version]:
            raise SettingsError(
                f"TROTH_WEBHOOKS_PRIVATE names {network}, which is larger than any private network; name the network "
                "that your receivers are in, such as 10.1.0.0/16"
            )
        networks.append(network)
    return frozenset(hosts), tuple(networks)


def _login(values: _Values, stem: str, title: str, *, is_wanted: bool = False) -> tuple[str, str, str] | None:
    """Issuer, client and secret of an OpenID Connect login; None if none of them is set, unless it *is_wanted*."""
    names = (f"{stem}_URL", f"{stem}_CLIENT", f"{stem}_SECRET")
    url, client, secret = (values.get(name) or "" for name in names)
    if not (url or client or secret or is_wanted):
        return None
    for name, value in zip(names, (url, client, secret), strict=True):
        if not value:
            raise SettingsError(f"{name} is not set; {title} needs {', '.join(names)} together")
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_local(parts.hostname or ""):
        raise SettingsError(f"{stem}_URL is not an https:// address; name the issuer of {title}")
    return url, client, secret


def _company_login(values: _Values) -> tuple[Mapping[str, Any], ...]:
    if (login := _login(values, "TROTH_LOGIN", "the company's login")) is None:
        return ()
    url, client, secret = login
    app = {"provider_id": "company", "name": "Company login", "client_id": client, "secret": secret}
    return ({**app, "settings": {"server_url": url}},)


def _subject_login(values: _Values) -> SubjectLogin | None:
    told = values.get("TROTH_SUBJECT_OIDC_CLAIMS")
    login = _login(values, "TROTH_SUBJECT_OIDC", "the login of people", is_wanted=bool(told))
    if login is None:
        return None
    pairs = [part.strip().partition("=") for part in (told or "email=email").split(",") if part.strip()]
    claims = {kind.strip(): claim.strip() for kind, _, claim in pairs}
    if not claims.keys() <= {"email", "phone", "account"} or not all(claims.values()) or "email" not in claims:
        raise SettingsError(
            "TROTH_SUBJECT_OIDC_CLAIMS maps identifiers to claims, such as email=email,account=sub; the identifiers "
            "are email (required), phone and account"
        )
    return SubjectLogin(*login, claims)


_FORMS = {
    "TROTH_MAIL_URL": (
        "smtp://user:password@host:587, smtps://user:password@host, smtp+oauth://user@host:587, "
        "folder:///absolute/path, maildir:///absolute/path or anymail://PROVIDER?OPTION=VALUE"
    ),
    "TROTH_MAILBOX_URL": (
        "imaps://user:password@host/INBOX, imaps+oauth://user@host/INBOX or maildir:///absolute/path, several with "
        "spaces between them"
    ),
    "TROTH_DATABASE_URL": "sqlite:////absolute/path or postgresql://user:password@host:port/database",
}


def _bad_url(name: str, what: str) -> SettingsError:
    # The URL itself stays out of the message: it may hold a password.
    return SettingsError(f"{name} {what}; write {_FORMS[name]}")


def _url(name: str, url: str) -> tuple[SplitResult, int | None]:
    """Parts and port of *url*, the value of *name*."""
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError:
        raise _bad_url(name, "is not a URL") from None


def _url_folder(name: str, parts: SplitResult) -> Path:
    folder = Path(unquote(parts.path))
    if parts.netloc or parts.query or not folder.is_absolute() or folder == Path("/"):
        raise _bad_url(name, "names no folder by its absolute path")
    return folder


_OAUTH_PARTS = ("URL", "CLIENT", "SECRET", "REFRESH_TOKEN", "SCOPE")
_OAUTH_SUFFIX = "+oauth"
_OAUTH_SCOPE = "https://outlook.office365.com/.default"
"""What Microsoft 365 demands for client credentials."""


def _mail_oauth(values: _Values) -> MailOAuth | None:
    parts = {name: values.get(f"TROTH_MAIL_OAUTH_{name}") or "" for name in _OAUTH_PARTS}
    if not any(parts.values()):
        return None
    for name in ("URL", "CLIENT"):
        if not parts[name]:
            raise SettingsError(f"TROTH_MAIL_OAUTH_{name} is not set; sign-in to mail by OAuth 2 needs it")
    if not (parts["SECRET"] or parts["REFRESH_TOKEN"]):
        raise SettingsError(
            "TROTH_MAIL_OAUTH_SECRET is not set; set the client's secret, or TROTH_MAIL_OAUTH_REFRESH_TOKEN if an "
            "account has signed in"
        )
    url = urlsplit(parts["URL"])
    if not url.hostname or (url.scheme != "https" and not (url.scheme == "http" and is_local(url.hostname))):
        raise SettingsError(
            "TROTH_MAIL_OAUTH_URL is not an https:// address; name the token endpoint, such as "
            "https://login.microsoftonline.com/TENANT/oauth2/v2.0/token or https://oauth2.googleapis.com/token"
        )
    if not parts["SCOPE"] and not parts["REFRESH_TOKEN"]:
        parts["SCOPE"] = _OAUTH_SCOPE
    return MailOAuth(*(parts[name] for name in _OAUTH_PARTS))


def _account(name: str, parts: SplitResult, oauth: MailOAuth | None) -> tuple[str, str, str, MailOAuth | None]:
    """Scheme without ``+oauth``, user, password, and *oauth* if that is how the user signs in."""
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not parts.scheme.endswith(_OAUTH_SUFFIX):
        return parts.scheme, user, password, None
    if oauth is None:
        raise SettingsError(f"{name} signs in by OAuth 2, but TROTH_MAIL_OAUTH_URL is not set; name the token endpoint")
    if not user or parts.password is not None:
        raise _bad_url(name, "signs in by OAuth 2, which needs a user and no password")
    return parts.scheme.removesuffix(_OAUTH_SUFFIX), user, "", oauth


def _mail(url: str | None, profile: Profile, home: Path, oauth: MailOAuth | None) -> MailServer | None:
    if url is None:
        return None if profile is Profile.PRODUCTION else MailServer(folder=home / "mail")
    name = "TROTH_MAIL_URL"
    parts, port = _url(name, url)
    if parts.scheme in {"folder", "maildir"}:
        return MailServer(folder=_url_folder(name, parts), maildir=parts.scheme == "maildir")
    if parts.scheme == "anymail":
        options = tuple(parse_qsl(parts.query))
        if not re.fullmatch("[a-z_]+", parts.netloc) or parts.path or not options:
            raise _bad_url(name, "names no provider, or none of its options")
        return MailServer(provider=parts.netloc, options=options)
    scheme, user, password, oauth = _account(name, parts, oauth)
    if scheme not in {"smtp", "smtps"} or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise _bad_url(name, "names no mail server and no folder")
    if not parts.hostname or (oauth is None and bool(user) != bool(password)):
        raise _bad_url(name, "names no host, or a user without a password")
    wrapped, local = scheme == "smtps", is_local(parts.hostname)
    return MailServer(
        host=parts.hostname,
        port=port or (465 if wrapped else 25 if local else 587),
        user=user,
        password=password,
        tls=MailTls.WRAPPED if wrapped else MailTls.NONE if local else MailTls.STARTTLS,
        oauth=oauth,
    )


def _mailboxes(value: str, oauth: MailOAuth | None) -> tuple[Mailbox, ...]:
    boxes: list[Mailbox] = []
    for number, url in enumerate(urls := value.split(), 1):
        try:
            boxes.append(_mailbox(url, oauth))
        except SettingsError as error:
            raise SettingsError(f"URL {number} of {error}" if len(urls) > 1 else str(error)) from None
    if len(set(boxes)) < len(boxes):
        raise SettingsError("TROTH_MAILBOX_URL names a mailbox twice; name it once")
    return tuple(boxes)


def _mailbox(url: str, oauth: MailOAuth | None) -> Mailbox:
    name = "TROTH_MAILBOX_URL"
    parts, port = _url(name, url)
    if parts.scheme == "maildir":
        return Mailbox(folder=_url_folder(name, parts))
    scheme, user, password, oauth = _account(name, parts, oauth)
    if scheme not in {"imap", "imaps"} or not parts.hostname or not user or not (password or oauth):
        raise _bad_url(name, "names no mailbox, or no user and password")
    if scheme == "imap" and not is_local(parts.hostname):
        raise _bad_url(name, "would send the password or token unencrypted; use imaps")
    return Mailbox(
        host=parts.hostname,
        port=port or (993 if scheme == "imaps" else 143),
        user=user,
        password=password,
        box=unquote(parts.path.strip("/")) or "INBOX",
        is_encrypted=scheme == "imaps",
        oauth=oauth,
    )


def is_local(host: str) -> bool:
    """True if *host* (a name or an address, brackets allowed) can only be this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _database(url: str | None, home: Path) -> Database:
    if url is None:
        return Database(engine="sqlite", name=str(home / "troth.sqlite3"))
    name = "TROTH_DATABASE_URL"
    parts, port = _url(name, url)
    if parts.scheme == "sqlite":
        file = unquote(parts.path).removeprefix("/")
        if parts.netloc or parts.query or not file.startswith("/") or file.endswith("/"):
            raise _bad_url(name, "names no file by its absolute path")
        return Database(engine="sqlite", name=file)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise _bad_url(name, "names a database engine that Troth does not support")
    database = unquote(parts.path.removeprefix("/"))
    if not database or "/" in database:
        raise _bad_url(name, "names no database")
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", "")
    return Database(
        engine="postgresql",
        name=database,
        user=unquote(parts.username or options.pop("user", "")),
        password=unquote(parts.password or options.pop("password", "")),
        host=unquote(parts.hostname or "") or host,
        port=str(port or options.pop("port", "")),
        options=MappingProxyType(options),
    )
