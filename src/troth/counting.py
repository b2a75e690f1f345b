"""Numbers of things as they stand in a sentence."""


def counted(number: int, thing: str, things: str = "") -> str:
    """``1 row``, ``2,755 rows``. *things* is the plural where it is not the *thing* with an s."""
    return f"{number:,} {thing if number == 1 else things or f'{thing}s'}"
