"""What the gallery of objects is made of: an entry is a script that makes one, and a check of what arrived."""

from dataclasses import dataclass
from textwrap import dedent


@dataclass(frozen=True)
class Entry:
    """One object of the gallery.

    *script* is run as ``__main__`` and binds ``obj``.  *check* is run in a fresh process that can import nothing of the
    script, with ``obj`` bound to what arrived, and raises when that is not what was sent.
    """

    title: str
    script: str
    check: str
    since: tuple[int, int] = (3, 11)  # the first Python version that can run the script
    until: tuple[int, int] = (9, 9)  # and the last
    needs: tuple[str, ...] = ()  # packages
    only_after: bool = False  # the check holds only after a journey
    hidden_since: tuple[int, int] | None = None  # the first Python version that does not show the object's state
    nowhere: str = ""  # why it arrives wrong with every tool
    stays: str = ""  # a word of the refusal, for what belongs to its process and cannot travel

    def __post_init__(self):
        object.__setattr__(self, "script", dedent(self.script).strip() + "\n")
        object.__setattr__(self, "check", dedent(self.check).strip() + "\n")


@dataclass(frozen=True)
class Family:
    """Entries with one idea."""

    title: str
    entries: tuple[Entry, ...]
