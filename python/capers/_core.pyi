"""The native module of capers; import its names from `capers`."""

from collections.abc import Callable, Iterable, Mapping
from pickle import HIGHEST_PROTOCOL as HIGHEST_PROTOCOL
from pickle import PickleBuffer as PickleBuffer
from pickle import PickleError as PickleError
from pickle import PicklingError as PicklingError
from pickle import UnpicklingError as UnpicklingError
from types import ModuleType
from typing import Any, Literal, Protocol, Self, SupportsIndex, TypeAlias, final, type_check_only

from typing_extensions import Buffer, disjoint_base

from capers._progress import Progress

__all__ = [
    "DEFAULT_PROTOCOL",
    "HIGHEST_PROTOCOL",
    "LOCAL_MODULES",
    "CannotPickleError",
    "LimitError",
    "Limits",
    "PickleBuffer",
    "PickleError",
    "Pickler",
    "PicklingError",
    "Unpickler",
    "UnpicklingError",
    "_captures",
    "_explain",
    "_inspect",
    "_page",
    "_set_progress_interval",
    "dump",
    "dumps",
    "list_registry_pickle_by_value",
    "load",
    "loads",
    "register_pickle_by_value",
    "register_reducer",
    "set_large_payload_size",
    "unregister_pickle_by_value",
    "unregister_reducer",
]

DEFAULT_PROTOCOL: int

class CannotPickleError(PicklingError, TypeError): ...

class LimitError(UnpicklingError):
    limit: str | None
    cap: int | None
    offset: int | None
    opcode: str | None

@final
class Limits:
    @property
    def operations(self) -> int | None: ...
    @property
    def depth(self) -> int | None: ...
    @property
    def memo(self) -> int | None: ...
    @property
    def size(self) -> int | None: ...
    @property
    def total(self) -> int | None: ...
    def __new__(
        cls,
        *,
        operations: SupportsIndex | None = None,
        depth: SupportsIndex | None = None,
        memo: SupportsIndex | None = None,
        size: SupportsIndex | None = None,
        total: SupportsIndex | None = None,
    ) -> Self: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, int]]: ...

class _Writable(Protocol):
    def write(self, data: bytes, /) -> object: ...

class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...
    def readline(self) -> bytes: ...

@final
@type_check_only
class LocalModules: ...

LOCAL_MODULES: LocalModules

_BufferCallback: TypeAlias = Callable[[PickleBuffer], Any] | None
_Limits: TypeAlias = Limits | dict[str, int | None] | None
_Progress: TypeAlias = Callable[[Progress], object] | bool | None
_Module: TypeAlias = ModuleType | str | LocalModules
_ByValue: TypeAlias = Literal[False] | _Module | Iterable[_Module] | None
_Reducer: TypeAlias = Callable[[Any], Any]
_Reducers: TypeAlias = Mapping[type, _Reducer] | None

def dumps(
    obj: object,
    protocol: SupportsIndex | None = None,
    *,
    fix_imports: bool = True,
    buffer_callback: _BufferCallback = None,
    by_value: _ByValue = None,
    locks: Literal["fresh", "error"] = "fresh",
    files: Literal["reopen", "content"] = "reopen",
    reducers: _Reducers = None,
    globals: Literal["module", "copy", "live"] = "module",
    progress: _Progress = None,
) -> bytes: ...
def dump(
    obj: object,
    file: _Writable,
    protocol: SupportsIndex | None = None,
    *,
    fix_imports: bool = True,
    buffer_callback: _BufferCallback = None,
    by_value: _ByValue = None,
    locks: Literal["fresh", "error"] = "fresh",
    files: Literal["reopen", "content"] = "reopen",
    reducers: _Reducers = None,
    globals: Literal["module", "copy", "live"] = "module",
    progress: _Progress = None,
) -> None: ...
def loads(
    data: Buffer,
    /,
    *,
    fix_imports: bool = True,
    encoding: str = "ASCII",
    errors: str = "strict",
    buffers: Iterable[object] | None = None,
    limits: _Limits = None,
    progress: _Progress = None,
) -> Any: ...
def load(
    file: _Readable,
    *,
    fix_imports: bool = True,
    encoding: str = "ASCII",
    errors: str = "strict",
    buffers: Iterable[object] | None = None,
    limits: _Limits = None,
    progress: _Progress = None,
) -> Any: ...
def register_pickle_by_value(module: _Module) -> None: ...
def unregister_pickle_by_value(module: _Module) -> None: ...
def list_registry_pickle_by_value() -> set[str]: ...
def _captures(function: object) -> list[tuple[str, str, Any]]: ...
def _explain(
    obj: object,
    protocol: SupportsIndex | None = None,
    *,
    by_value: _ByValue = None,
    locks: Literal["fresh", "error"] | None = None,
    files: Literal["reopen", "content"] | None = None,
    reducers: _Reducers = None,
    globals: Literal["module", "copy", "live"] | None = None,
) -> dict[str, Any]: ...
def _inspect(data: bytes, title: str) -> str: ...
def _page(json: str) -> str: ...
def _set_progress_interval(seconds: float) -> float: ...
def set_large_payload_size(size: int | None) -> int | None: ...
def register_reducer(cls: type, reducer: _Reducer) -> None: ...
def unregister_reducer(cls: type) -> None: ...

@disjoint_base
class Pickler:
    bin: int
    fast: int
    dispatch_table: Mapping[type, Callable[[Any], Any]]
    memo: Any
    persistent_id: Callable[[Any], Any]
    def __init__(
        self,
        file: _Writable,
        protocol: SupportsIndex | None = None,
        fix_imports: bool = True,
        buffer_callback: _BufferCallback = None,
        *,
        by_value: _ByValue = None,
        locks: Literal["fresh", "error"] = "fresh",
        files: Literal["reopen", "content"] = "reopen",
        reducers: _Reducers = None,
        globals: Literal["module", "copy", "live"] = "module",
        progress: _Progress = None,
    ) -> None: ...
    def dump(self, obj: object, /) -> None: ...
    def clear_memo(self) -> None: ...

@disjoint_base
class Unpickler:
    memo: dict[int, Any]
    persistent_load: Callable[[Any], Any]
    def __init__(
        self,
        file: _Readable,
        *,
        fix_imports: bool = True,
        encoding: str = "ASCII",
        errors: str = "strict",
        buffers: Iterable[object] | None = None,
        limits: _Limits = None,
        progress: _Progress = None,
    ) -> None: ...
    def load(self) -> Any: ...
    def find_class(self, module_name: str, global_name: str, /) -> Any: ...
