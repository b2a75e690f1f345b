"""Rows that every duty shares, and the one way to write the ledger.

`record` puts an entry into the ledger *in the caller's transaction*: it commits with the change it records, or not at
all. A sequencer then gives leaf numbers to what has committed. `Journal` keeps runs that are under way. Everything here
is a value, a keyed pseudonym or sealed: no row holds a personal value in clear.
"""
