"""The vault: card numbers and other values that systems must not hold, stored behind random tokens.

`stored_tokens.Vault` makes tokens and reads them back, for one domain; every use is recorded before a value is
returned.
"""
