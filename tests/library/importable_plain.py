"""Classes whose instances are plain, or only look so."""

import copyreg


class Open:
    """Attributes in a ``__dict__``."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class Slotted:
    """Two slots."""

    __slots__ = ("one", "two")

    def __init__(self, *values):
        for name, value in zip(self.__slots__, values):
            setattr(self, name, value)


class OneSlot:
    """One slot."""

    __slots__ = ("only",)


class Both(Slotted):
    """Slots, and a ``__dict__`` as well."""

    def __init__(self, *values):
        super().__init__(*values)
        self.three = 3


class Listed:
    """A class that `copyreg` knows."""


copyreg.pickle(Listed, lambda listed: (Listed, ()))


class Answering:
    """A class that is asked for missing attributes."""

    def __getattr__(self, name):
        raise AttributeError(name)


class Disguised:
    """A class whose instances name another one."""

    @property
    def __class__(self):
        return Disguised


class Changing:
    """A class that a test changes."""


class Called:
    """Instances made by a call with new arguments each time."""

    def __init__(self, number):
        self.number = number

    def __reduce__(self):
        return Called, (self.number, [str(self.number)][0])[:1]


class Guarded:
    """A class with descriptors, of which some catch what is set."""

    log = []
    shown = "by the class"

    @property
    def caught(self):
        return "by the property"

    @caught.setter
    def caught(self, value):
        Guarded.log.append(value)
