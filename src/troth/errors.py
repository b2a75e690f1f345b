"""The root of every error that Troth raises on purpose.

A message says what happened, where, and how to mend it. It never holds a personal value: a store, a table, a
column and a keyed reference are enough.
"""


class TrothError(Exception):
    """Something was refused or failed, and the message is meant for the person who can mend it."""
