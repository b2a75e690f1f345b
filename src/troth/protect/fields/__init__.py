"""Sealed columns in a company's own application.

It promises that
- a value written to a sealed column reaches the database sealed, and reads back unchanged; NULL stays NULL;
- a value copied into another column or table does not open there, and an unsealed one is refused;
- a blind index finds a value again; what it leaks is known beforehand and stated by `plan_index`;
- columns are sealed, resealed and indexed in place while the application runs, and a killed run can be repeated.

`sqlalchemy` has the types for SQLAlchemy, `django` the fields for Django; nothing else here imports either library.
"""

from troth.protect.fields.blind import BlindIndex, IndexPlan, NormalForm, plan_index
from troth.protect.fields.check import check, check_rows
from troth.protect.fields.column import KeyringSource, home_keyring
from troth.protect.fields.errors import FieldRefused, PopulationTooSmall, RowsBusy, RowsLeft, RowsRefused, SearchRefused
from troth.protect.fields.table import RotationCount

__all__ = [
    "BlindIndex",
    "FieldRefused",
    "IndexPlan",
    "KeyringSource",
    "NormalForm",
    "PopulationTooSmall",
    "RotationCount",
    "RowsBusy",
    "RowsLeft",
    "RowsRefused",
    "SearchRefused",
    "check",
    "check_rows",
    "home_keyring",
    "plan_index",
]
