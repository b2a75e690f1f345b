"""The declaration's JSON Schema, for editors: short forms as well as long ones, with the docstrings as help."""

from __future__ import annotations

from typing import Any

from troth.declaration.model import Declaration
from troth.declaration.taxonomy import categories, uses
from troth.registration import complete


def json_schema() -> dict[str, Any]:
    """A JSON Schema (2020-12) of ``troth.yaml`` and of its included files, so no key is required.

    `load` refuses more than a schema can express, and accepts one thing that this refuses: a number in place of text.
    """
    complete("sections")
    schema = Declaration.model_json_schema(by_alias=True)
    definitions = schema["$defs"]
    definitions["Reference"]["required"] = ["table", "to"]  # the key of a reference names its columns
    for part, key, words in (("FieldUse", "category", categories()), ("Purpose", "use", uses())):
        definitions[part]["properties"][key]["examples"] = list(words)
    include = {
        "description": "More files of the declaration, as patterns relative to the folder of this file.",
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    }
    properties = schema["properties"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:troth:declaration:1",
        "title": "Troth declaration",
        "description": schema["description"],
        "type": "object",
        "properties": {"troth": properties.pop("troth"), "include": include, **properties},
        "additionalProperties": False,
        "$defs": definitions,
    }
