"""How to add what an optional part of Troth needs."""


def install_hint(extra: str) -> str:
    """The command that installs what *extra* brings. Troth is on no package index, and whoever has its name there has
    nothing to do with it: it is installed from a checkout, or from a wheel that was built from one."""
    return f"pip install '.[{extra}]' in the checkout of Troth"
