"""The database: all SQL stands in this package, a module per question that is asked of it."""

from vidlab.store.facade import Store

__all__ = ["Store"]
