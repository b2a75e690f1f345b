"""Writes the findings in each sample beside it: ``python -m tests.policy.samples``. Read the difference before you
commit it: a finding is kept because it is right, not because it came."""

import json

from tests.policy.linting import TODAY
from tests.policy.sampling import SAMPLES, in_short, kept_in, sample

from troth.policy.lint import lint

for name in SAMPLES:
    rows = [json.dumps(row, ensure_ascii=False) for row in in_short(lint(sample(name), as_of=TODAY).findings)]
    kept_in(name).write_text("[\n  " + ",\n  ".join(rows) + "\n]\n", encoding="utf-8")
