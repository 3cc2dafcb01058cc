"""US capital gains law as data: from a ledger of transactions to Form 8949, Schedule D and next year's carryover.

>>> import lotlaw
>>> ledger = lotlaw.read(["coinbase.csv", "schwab.csv"])
>>> return_ = lotlaw.compute(2025, ledger, taxpayer)
>>> print(lotlaw.render(return_, "txt"))

The four functions are imported when they are first asked for, so that `import lotlaw` takes no time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lotlaw.ledger import read
    from lotlaw.rendering import render
    from lotlaw.rules import load
    from lotlaw.run import compute

__version__ = "1.0.0"
__all__ = ["__version__", "compute", "load", "read", "render"]

_HOME = {"compute": "lotlaw.run", "load": "lotlaw.rules", "read": "lotlaw.ledger", "render": "lotlaw.rendering"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        message = f"module 'lotlaw' has no attribute {name!r}"
        raise AttributeError(message)
    import importlib

    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
