"""Analyses a database schema: which columns hold personal data, which keys lead from one table to another, and what the
declaration could say about each.

`columns` judges each column by its name, kind and comment, by its table, and by sample values, with the rules of
``columns.toml``. `references` infers undeclared foreign keys: `words` splits names, `targets` indexes the possible
target tables, `name_references` decides which of them a name means, `composite` finds keys of several columns.
`suggestion` turns both into a draft, and `check` compares a schema with the declaration.
"""
