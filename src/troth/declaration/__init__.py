"""The declaration: the company's systems, purposes, recipients and promises as data, read from ``troth.yaml``.

What this room promises:

- `load` reads the file and what it includes, or raises `DeclarationErrors` with *every* mistake, each with its file,
  line, column and mend. No file, however hostile, does anything else, and no message repeats a secret.
- A `Declaration` is complete and never changes. Its ``hash`` stands for its meaning, whatever the layout.
- `check` tells what the declaration alone shows to be wrong. What only the real systems can show is for others.
- `examine` tells both of one file: what `load` refuses it for, and what `check` finds in all that is sound.
- Secrets stand in the environment; `resolve` fetches them into a `Secret`, which does not show itself.
- Data categories and uses are the words of one taxonomy: `categories`, `uses`, `covers`, `title`, `dpv`, `nearest`.
- `write` gives a declaration back as readable YAML, `from_fides` and `dump` draft one from a Fides dataset, and
  `json_schema` tells an editor what may stand where.
"""

from troth.declaration.check import check
from troth.declaration.examine import examine
from troth.declaration.fides import FidesDraft, dump, from_fides
from troth.declaration.load import load, parse
from troth.declaration.model import (
    Access,
    Asking,
    Attestation,
    Audience,
    Basis,
    CollectedField,
    CollectionPoint,
    Contract,
    Cookie,
    Cryptoperiods,
    Declaration,
    Erasure,
    FieldUse,
    IdentityColumn,
    IdentityKind,
    Keep,
    Ledger,
    LedgerWitness,
    Limits,
    Mark,
    Officer,
    Organisation,
    Part,
    Period,
    Policy,
    Promise,
    Publish,
    Purpose,
    Recipient,
    Reference,
    Requests,
    Retention,
    Search,
    Sharing,
    Strategy,
    System,
    Table,
    TimestampAuthority,
    TokenUse,
    Waiver,
)
from troth.declaration.problems import DeclarationErrors, Position, Problem, Severity
from troth.declaration.schema import json_schema
from troth.declaration.secret import Secret, SecretMissing, resolve
from troth.declaration.taxonomy import (
    categories,
    covers,
    dpv,
    is_category,
    is_special,
    is_use,
    nearest,
    title,
    uses,
)
from troth.declaration.write import write

__all__ = [
    "Access",
    "Asking",
    "Attestation",
    "Audience",
    "Basis",
    "CollectedField",
    "CollectionPoint",
    "Contract",
    "Cookie",
    "Cryptoperiods",
    "Declaration",
    "DeclarationErrors",
    "Erasure",
    "FidesDraft",
    "FieldUse",
    "IdentityColumn",
    "IdentityKind",
    "Keep",
    "Ledger",
    "LedgerWitness",
    "Limits",
    "Mark",
    "Officer",
    "Organisation",
    "Part",
    "Period",
    "Policy",
    "Position",
    "Problem",
    "Promise",
    "Publish",
    "Purpose",
    "Recipient",
    "Reference",
    "Requests",
    "Retention",
    "Search",
    "Secret",
    "SecretMissing",
    "Severity",
    "Sharing",
    "Strategy",
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
