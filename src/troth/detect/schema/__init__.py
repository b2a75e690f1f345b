"""What a database tells of itself: which columns hold personal data, which keys lead from one table to another, and
what the declaration could say about each.

`columns` judges each column by its name, kind and comment, by its table, and by a sample of values, with the rules of
``columns.toml``. `references` infers keys that are not declared: `words` reads names, `targets` indexes the tables that
could be meant, `pointing` says which of them a name means, `composite` finds keys of several columns. `suggestion`
makes of both a draft, and `check` holds a schema against the declaration.
"""
