"""What is told of a dump or load while it runs, and the bar that ``progress=True`` draws.

When to tell is decided in the native module.
"""

import sys
from typing import NamedTuple


class Progress(NamedTuple):
    """How far a dump or load has come.

    *bytes* is how many of the payload have been written or read, which never falls; *total* how many there will be, or None
    where nobody knows: while dumping, and while loading from anything but bytes and plain files, of which it is all that is
    left.  *seconds* have passed since the beginning.  *finished* is true once, at the end of what succeeded; *bytes* is the
    size of the payload then.
    """

    bytes: int
    total: int | None
    seconds: float
    finished: bool


def teller(progress, doing):
    """Return the callable that the argument *progress* means, or None; *doing* is what a bar says in front.

    Raises ``TypeError`` for anything else than a callable, True, False and None.
    """
    if progress is None or progress is False:
        return None
    if progress is True:
        return _bar(doing)
    if callable(progress):
        return progress
    raise TypeError(
        "progress must be a callable that takes a capers.Progress, True for a bar on a terminal, False or None, not '%s'"
        % type(progress).__name__
    )


def left(read):
    """Return how many bytes are left in the file whose method *read* is, or None where only reading would tell."""
    import io
    from os import fstat
    from stat import S_ISREG
    from types import BuiltinMethodType

    # The methods of temporary files are functions around those of the file.
    if getattr(read, "__globals__", {}).get("__name__") == "tempfile":
        read = getattr(read, "__wrapped__", read)
    if not isinstance(read, BuiltinMethodType):
        return None
    file = read.__self__
    if type(file) is io.BytesIO:
        with file.getbuffer() as view:
            return max(0, view.nbytes - file.tell())
    raw = file.raw if type(file) in (io.BufferedReader, io.BufferedRandom) else file
    if type(raw) is not io.FileIO:
        return None
    try:
        about = fstat(raw.fileno())
        # What the system makes up has no size.
        if S_ISREG(about.st_mode) and about.st_size:
            return max(0, about.st_size - file.tell())
    except (OSError, ValueError):
        pass  # a closed file says so when it is read
    return None


def _bar(doing):
    """Return what draws a bar, or counts in one line where tqdm is not there; None where nobody looks at a terminal."""
    stream = getattr(sys, "stderr", None)
    try:
        if not stream.isatty():
            return None
    except (AttributeError, OSError, ValueError):
        return None  # no stream, one that is no file, or a closed one
    try:
        from tqdm import tqdm
    except ImportError:
        return _Quiet(_Line(doing, stream))
    return _Quiet(_Bar(doing, stream, tqdm))


class _Quiet:
    """Draws until that fails: losing a terminal must not cost a dump."""

    def __init__(self, draw):
        self.draw = draw

    def __call__(self, progress):
        if self.draw is not None:
            try:
                self.draw(progress)
            except (OSError, ValueError):  # the terminal is gone, or closed
                self.draw = None


class _Bar:
    """A bar of tqdm; there is none for what is done before the first call."""

    def __init__(self, doing, stream, tqdm):
        self.doing, self.stream, self.tqdm = doing, stream, tqdm
        self.bar = None

    def __call__(self, progress):
        if self.bar is None:
            if progress.finished:
                return
            self.bar = self.tqdm(
                total=progress.total,
                desc=self.doing,
                file=self.stream,
                unit="B",
                unit_scale=True,
                dynamic_ncols=True,
                mininterval=0,
            )
            if not self.bar.disable:
                # It counts from the beginning of the work, not of the bar.
                self.bar.start_t -= progress.seconds
        if progress.finished:
            # A file may hold more than this payload.
            self.bar.total = progress.bytes
        self.bar.update(progress.bytes - self.bar.n)
        if progress.finished:
            self.bar.close()

    def __del__(self):
        # What ended early leaves the bar where it stood.
        if self.bar is not None:
            self.bar.close()


class _Line:
    """One line that is written over and over."""

    def __init__(self, doing, stream):
        self.doing, self.stream = doing, stream
        self.width = 0

    def __call__(self, progress):
        if progress.finished and not self.width:
            return
        from capers._report import size

        text = "%s: %s" % (self.doing, size(progress.bytes))
        if progress.finished:
            text += " in %.1f s" % progress.seconds
        elif progress.total:
            text += " of %s, %d %%" % (size(progress.total), 100 * progress.bytes // progress.total)
        self.stream.write("\r" + text.ljust(self.width))
        self.width = len(text)
        if progress.finished:
            self._end()
        self.stream.flush()

    def _end(self):
        self.stream.write("\n")
        self.width = 0

    def __del__(self):
        if self.width:
            self._end()
