"""How the model of names is made: see docs/reference/names-model.md and ``python -m tools.name_model --help``."""
