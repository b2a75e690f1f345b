"""Troth keeps a company's privacy policy, and proves it sentence by sentence.

The packages, from the lowest layer up: ``errors``, ``lazy_imports``, ``text``; ``sandbox``; ``law``, ``hook``;
``declaration``; ``ledger``, ``reports``; ``protect``; ``controls``; ``stores``, ``site``, ``policy``; ``detect``;
``redact``; ``subjects``; ``audit``; ``service``; ``testing``, ``cli``. Each package's ``__init__`` states its promises,
and its ``__all__`` is its public interface. Packages import downwards only; ``client`` stands alone.
"""

from troth.errors import TrothError

__all__ = ["TrothError", "__version__"]

__version__ = "0.1.0"
