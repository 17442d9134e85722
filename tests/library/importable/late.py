"""A module that nothing loads by itself; `importable` says that `Hidden` is at home here."""

from importable import Hidden

__all__ = ["Hidden"]
