from collections.abc import Callable
from os import PathLike
from types import ModuleType
from typing import IO, Any, SupportsIndex, TypeAlias, TypeVar

from typing_extensions import Buffer

import capers
from capers import HIGHEST_PROTOCOL as HIGHEST_PROTOCOL
from capers import PickleError as PickleError
from capers import PicklingError as PicklingError
from capers import UnpicklingError as UnpicklingError
from capers._core import _Readable, _Writable

_F = TypeVar("_F", bound=Callable[[Any, Any], object])
_File: TypeAlias = str | PathLike[str] | IO[bytes] | None

__version__: str
__all__ = [
    "CONTENTS_FMODE",
    "DEFAULT_PROTOCOL",
    "FILE_FMODE",
    "HANDLE_FMODE",
    "HIGHEST_PROTOCOL",
    "PickleError",
    "PickleWarning",
    "Pickler",
    "PicklingError",
    "PicklingWarning",
    "Unpickler",
    "UnpicklingError",
    "UnpicklingWarning",
    "check",
    "copy",
    "dump",
    "dump_module",
    "dump_session",
    "dumps",
    "load",
    "load_module",
    "load_module_asdict",
    "load_session",
    "loads",
    "pickle",
    "pickles",
    "register",
    "settings",
]

DEFAULT_PROTOCOL: int
HANDLE_FMODE: int
CONTENTS_FMODE: int
FILE_FMODE: int
settings: dict[str, Any]

class PickleWarning(Warning, PickleError): ...
class PicklingWarning(PickleWarning, PicklingError): ...
class UnpicklingWarning(PickleWarning, UnpicklingError): ...

class Pickler(capers.Pickler):
    settings: dict[str, Any]
    def __init__(
        self,
        file: _Writable,
        protocol: SupportsIndex | None = None,
        *,
        byref: bool | None = None,
        fmode: int | None = None,
        recurse: bool | None = None,
        **keywords: Any,
    ) -> None: ...
    def reducer_override(self, obj: Any) -> Any: ...

class Unpickler(capers.Unpickler):
    settings: dict[str, Any]
    def __init__(self, file: _Readable, *, ignore: bool | None = None, **keywords: Any) -> None: ...
    def find_class(self, module_name: str, global_name: str) -> Any: ...

def dump(
    obj: object,
    file: _Writable,
    protocol: SupportsIndex | None = None,
    byref: bool | None = None,
    fmode: int | None = None,
    recurse: bool | None = None,
    **keywords: Any,
) -> None: ...
def dumps(
    obj: object,
    protocol: SupportsIndex | None = None,
    byref: bool | None = None,
    fmode: int | None = None,
    recurse: bool | None = None,
    **keywords: Any,
) -> bytes: ...
def load(file: _Readable, ignore: bool | None = None, **keywords: Any) -> Any: ...
def loads(data: Buffer, ignore: bool | None = None, **keywords: Any) -> Any: ...
def copy(obj: object, *args: Any, **keywords: Any) -> Any: ...
def pickles(obj: object, exact: bool = False, safe: bool = False, **keywords: Any) -> bool: ...
def check(obj: object, *args: Any, **keywords: Any) -> bool: ...
def register(cls: type) -> Callable[[_F], _F]: ...
def pickle(cls: type, function: Callable[[Any, Any], object]) -> None: ...
def dump_module(
    filename: _File = None, module: ModuleType | str | None = None, refimported: bool = False, **keywords: Any
) -> None: ...
def load_module(
    filename: _File = None, module: ModuleType | str | None = None, **keywords: Any
) -> ModuleType | None: ...
def load_module_asdict(filename: _File = None, update: bool = False, **keywords: Any) -> dict[str, Any]: ...

dump_session = dump_module
load_session = load_module
