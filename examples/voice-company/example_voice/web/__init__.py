"""The company's website: plain WSGI, the standard library and SQLAlchemy, no JavaScript.

`website` builds the application. Pages are built from `markup`, which escapes every text that is not markup already;
`forms` says exactly which fields each form takes, `records` writes them to the company's databases, `letters` puts
mail into a folder. No web framework: ten pages and seven forms need a dictionary of paths and three header rules.
"""

from example_voice.web.application import website
from example_voice.web.settings import SettingMissing, Settings

__all__ = ["SettingMissing", "Settings", "website"]
