"""What the gallery is made of: sections with a few words to the reader, and entries."""

from dataclasses import dataclass
from textwrap import dedent


@dataclass(frozen=True)
class Entry:
    """One object that is shipped.

    *code* is run as a script, so what it defines lives in ``__main__``; the expression *send* is evaluated there and
    gives the object.  In the receiving process, where nothing of the script can be imported, the object is called *f*
    and the expression *call* must give what the expression *gives* gives.  ``run`` stands for ``asyncio.run``,
    ``error`` for a function that calls its first argument with the others and returns the exception's name.
    """

    title: str
    send: str
    call: str
    gives: str
    code: str
    least: tuple[int, int] = (3, 11)  # the first Python version that can run the code
    big: bool = False  # takes milliseconds instead of microseconds
    show: bool = False  # the demo prints the code

    @property
    def script(self) -> str:
        """The code without the indentation it has in the chapter."""
        return dedent(self.code).strip() + "\n"


@dataclass(frozen=True)
class Section:
    """A few entries with one idea, and a few words about it."""

    title: str
    story: str
    entries: list[Entry]
