"""The declaration: the company's systems, purposes, recipients and promises as data, read from ``troth.yaml``.

What this package promises:

- `load` reads the file and its includes, or raises `DeclarationErrors` with *every* mistake, each with its file, line,
  column and fix. No file, however hostile, does anything else, and no message quotes a secret.
- A `Declaration` is complete and immutable. Its ``hash`` identifies its meaning, whatever the layout.
- `check` reports errors that the declaration alone shows. Checks against the real systems are in other packages.
- `examine` does both for one file: why `load` refuses it, and what `check` finds in the valid part.
- Secrets are in the environment; `resolve` reads them into a `Secret`, whose ``repr`` hides it.
- Data categories and uses come from one taxonomy: `categories`, `uses`, `covers`, `title`, `dpv`, `nearest`.
- `write` returns a declaration as readable YAML, `from_fides` and `dump` draft one from a Fides dataset, and
  `json_schema` tells an editor what is allowed where.
"""

from troth.declaration.base import Period, StrictModel, in_language
from troth.declaration.check import check
from troth.declaration.custom_controls import HttpFigure, Must, OwnControl, PushedFigure, SqlFigure
from troth.declaration.examine import examine
from troth.declaration.external_systems import ExternalAccess, ListSync
from troth.declaration.faults import OwnFault
from troth.declaration.fides import FidesDraft, dump, from_fides
from troth.declaration.load import load, parse
from troth.declaration.model import Cryptoperiods, Declaration, ErasureLimits, StaffAccess
from troth.declaration.newsletters import Newsletter, NewsletterAudience
from troth.declaration.organisation import Officer, Organisation
from troth.declaration.problems import DeclarationErrors, Position, Problem, Severity
from troth.declaration.processing import ActedFor, Assessment, JointController, ProofSettings, Representative, Risk
from troth.declaration.promises import (
    WAIVER_DAYS_MAX,
    Attestation,
    Audience,
    Granularity,
    Policy,
    Promise,
    Publish,
    Waiver,
)
from troth.declaration.purposes import (
    OBJECTABLE,
    Basis,
    CollectedField,
    CollectionPoint,
    Contract,
    Cookie,
    Feed,
    Purpose,
    Recipient,
    Retention,
    Sharing,
)
from troth.declaration.requests import FlagColumn, Requests
from troth.declaration.schema import json_schema
from troth.declaration.secret import Secret, SecretMissing, resolve
from troth.declaration.systems import (
    BlindSearch,
    Erasure,
    FieldUse,
    IdentityColumn,
    IdentityKind,
    Keep,
    Reference,
    Strategy,
    System,
    Table,
    TokenUse,
)
from troth.declaration.taxonomy import categories, covers, dpv, is_category, is_special, is_use, nearest, title, uses
from troth.declaration.witnesses import Ledger, LedgerWitness, TimestampAuthority
from troth.declaration.write import write

__all__ = [
    "OBJECTABLE",
    "WAIVER_DAYS_MAX",
    "ActedFor",
    "Assessment",
    "Attestation",
    "Audience",
    "Basis",
    "BlindSearch",
    "CollectedField",
    "CollectionPoint",
    "Contract",
    "Cookie",
    "Cryptoperiods",
    "Declaration",
    "DeclarationErrors",
    "Erasure",
    "ErasureLimits",
    "ExternalAccess",
    "Feed",
    "FidesDraft",
    "FieldUse",
    "FlagColumn",
    "Granularity",
    "HttpFigure",
    "IdentityColumn",
    "IdentityKind",
    "JointController",
    "Keep",
    "Ledger",
    "LedgerWitness",
    "ListSync",
    "Must",
    "Newsletter",
    "NewsletterAudience",
    "Officer",
    "Organisation",
    "OwnControl",
    "OwnFault",
    "Period",
    "Policy",
    "Position",
    "Problem",
    "Promise",
    "ProofSettings",
    "Publish",
    "Purpose",
    "PushedFigure",
    "Recipient",
    "Reference",
    "Representative",
    "Requests",
    "Retention",
    "Risk",
    "Secret",
    "SecretMissing",
    "Severity",
    "Sharing",
    "SqlFigure",
    "StaffAccess",
    "Strategy",
    "StrictModel",
    "System",
    "Table",
    "TimestampAuthority",
    "TokenUse",
    "Waiver",
    "categories",
    "check",
    "covers",
    "dpv",
    "dump",
    "examine",
    "from_fides",
    "in_language",
    "is_category",
    "is_special",
    "is_use",
    "json_schema",
    "load",
    "nearest",
    "parse",
    "resolve",
    "title",
    "uses",
    "write",
]
