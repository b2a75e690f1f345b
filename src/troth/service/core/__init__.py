"""Rows that all duties share, and the only way to write the ledger.

`record` appends an entry *in the caller's transaction*: it commits with the change that it records, or not at all. A
sequencer then gives leaf numbers to committed entries. `DatabaseJournal` tracks unfinished runs. Everything here is a
value, a keyed pseudonym or sealed: no row holds a personal value in clear.
"""
