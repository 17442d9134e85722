"""The gallery of objects behind COMPATIBILITY.md: what pickle, cloudpickle, dill and capers make of each."""

from .classes import CLASSES
from .entry import Entry, Family
from .functions import FUNCTIONS
from .kinds import C_TYPES, ENUMS, EXCEPTIONS, RECORDS, TYPING
from .objects import DATA, ITERATORS, PROCESS, STAYS, THREADS

FAMILIES = (FUNCTIONS, CLASSES, ENUMS, RECORDS, TYPING, EXCEPTIONS, C_TYPES, DATA, ITERATORS, THREADS, PROCESS, STAYS)

__all__ = ["FAMILIES", "Entry", "Family"]
