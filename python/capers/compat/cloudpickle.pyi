from collections import ChainMap
from collections.abc import Callable
from types import ModuleType
from typing import Any, SupportsIndex

import capers
from capers import list_registry_pickle_by_value as list_registry_pickle_by_value
from capers import load as load
from capers import loads as loads
from capers._core import _BufferCallback, _Writable

__version__: str
__all__ = [
    "DEFAULT_PROTOCOL",
    "CloudPickler",
    "Pickler",
    "__version__",
    "dump",
    "dumps",
    "list_registry_pickle_by_value",
    "load",
    "loads",
    "register_pickle_by_value",
    "unregister_pickle_by_value",
]

DEFAULT_PROTOCOL: int

def dumps(obj: object, protocol: SupportsIndex | None = None, buffer_callback: _BufferCallback = None) -> bytes: ...
def dump(
    obj: object, file: _Writable, protocol: SupportsIndex | None = None, buffer_callback: _BufferCallback = None
) -> None: ...
def register_pickle_by_value(module: ModuleType) -> None: ...
def unregister_pickle_by_value(module: ModuleType) -> None: ...

class CloudPickler(capers.Pickler):
    dispatch_table: ChainMap[type, Callable[[Any], Any]]
    dispatch: ChainMap[type, Callable[[Any], Any]]
    def reducer_override(self, obj: Any) -> Any: ...
    def __init__(
        self, file: _Writable, protocol: SupportsIndex | None = None, buffer_callback: _BufferCallback = None
    ) -> None: ...

Pickler = CloudPickler
