"""Troth keeps a company's privacy policy, and proves it sentence by sentence.

The rooms, from the ground up: ``law``, ``declaration``, ``ledger``, ``protect``, ``promises``, ``policy``,
``probe`` and ``stores``, ``detect``, ``subjects``, ``service``, ``cli``. Each room's ``__init__`` says what it
promises, and its ``__all__`` is its front door. Rooms import downwards only.
"""

from troth.errors import TrothError

__all__ = ["TrothError", "__version__"]

__version__ = "0.1.0"
