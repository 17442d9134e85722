"""A gallery of functions, from the identity to closures that hold themselves.

Each chapter is a module of this package with one :class:`Section`; ``STORY`` lists them in the order in which they are
told.  ``python -m examples.gallery`` ships every function to a fresh process and shows what became of it.
"""

from . import chapters_first, chapters_last, chapters_middle
from .entry import Entry, Section

__all__ = ["STORY", "Entry", "Section"]

STORY: list[Section] = [*chapters_first.SECTIONS, *chapters_middle.SECTIONS, *chapters_last.SECTIONS]
