"""What stands for a peer's package in the peer's own tests: the public names of a subject, and nothing that is private.

A test that uses a private name ends there; it is told apart from a failure by the class of the exception.  Imported by the
packages in ``aliases/``, in processes that have nothing but this folder's parent on their path.
"""

import importlib
import os

SUBJECT = "CAPERS_SUITES_SUBJECT"  # the module that is tested
PRIVATE = "CAPERS_SUITES_PRIVATE"  # whether private names may be used, by payloads that name them
ITSELF = "itself"  # what the peer's own package is called beside its stand-in: cloudpickle_itself


class PrivateName(BaseException):
    """A test uses a name of the peer that is not public."""


class PrivateNameAttribute(PrivateName, AttributeError):
    """The same for an attribute of such a name, which pytest may look for, too."""


class Private:
    """Stands for a private name: it can be imported, and ends the test that uses it."""

    def __init__(self, name):
        self.__dict__["name"] = name

    def __call__(self, *args, **keywords):
        raise PrivateName(self.name)

    def __getattr__(self, attribute):
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        raise PrivateNameAttribute(f"{self.name}.{attribute}")

    def __setattr__(self, attribute, value):
        raise PrivateName(f"{self.name}.{attribute}")

    __getitem__ = __setitem__ = __iter__ = __contains__ = __enter__ = __len__ = __call__

    def __exit__(self, *error):
        return False


def public(names):
    """Return what the subject has of *names*."""
    subject = importlib.import_module(os.environ[SUBJECT])
    return {name: getattr(subject, name) for name in names if hasattr(subject, name)}


def private(path, name):
    """Return the private *name* of the module *path* of the peer, or what stands for it.

    Raises AttributeError for what the package of the peer does not have.
    """
    if name.startswith("__") and name.endswith("__"):
        raise AttributeError(name)
    peer, _, part = path.partition(".")
    if os.environ.get(PRIVATE):
        return getattr(importlib.import_module(f"{peer}_{ITSELF}.{part}"), name)
    if not part and not hasattr(importlib.import_module(f"{peer}_{ITSELF}"), name):
        raise AttributeError(name)
    return Private(f"{path}.{name}")
