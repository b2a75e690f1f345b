"""The vault: card numbers and other values that systems must not hold, kept behind tokens drawn at random.

`run.Vault` makes tokens and reads them back, for one domain; every use is on record before a value is returned.
"""
