"""Sealed columns in a company's own application.

It promises that
- what the application writes to a sealed column reaches the database sealed, and reads back as it was; NULL stays NULL;
- a value that is copied into another column or table does not open there, and one that is not sealed is refused;
- a value is found again by its blind index, whose leak is known beforehand and told by `plan_index`;
- columns are sealed, sealed anew and indexed in place while the application runs, and whoever is killed goes on.

`sqlalchemy` has the types for SQLAlchemy, `django` the fields for Django; nothing else here imports either library.
"""

from troth.protect.fields.blind import BlindIndex, IndexPlan, NormalForm, plan_index
from troth.protect.fields.check import check, check_rows
from troth.protect.fields.column import KeyringSource, home_keyring
from troth.protect.fields.errors import (
    FieldRefused,
    PopulationTooSmall,
    RowsBusy,
    RowsLeft,
    RowsRefused,
    SearchRefused,
)
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
