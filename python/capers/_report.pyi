from collections.abc import Callable
from os import PathLike
from types import MethodType
from typing import Any, Literal, NamedTuple, overload

from capers._core import _ByValue, _Reducers

LARGE: int
SMALL: float
LINES: int
CHILDREN: int
STEPS: int
PAGE_LINES: int
NAMED: int
CLIENT_MODULES: frozenset[str]
CLIENT_ENDS: tuple[str, ...]
LOCKS: frozenset[str]
FILES: frozenset[str]

class Capture(NamedTuple):
    name: str
    origin: str
    value: Any

class LargePayloadWarning(UserWarning): ...

def warn_large(found: dict[str, Any], count: int) -> None: ...
def captures(function: Callable[..., Any] | MethodType) -> list[Capture]: ...
def explain(
    obj: object,
    protocol: int | None = None,
    *,
    by_value: _ByValue = None,
    locks: Literal["fresh", "error"] | None = None,
    files: Literal["reopen", "content"] | None = None,
    reducers: _Reducers = None,
    globals: Literal["module", "copy", "live"] | None = None,
) -> Report: ...
def size(count: int) -> str: ...

class Report:
    seconds: float
    def __init__(self, data: dict[str, Any], seconds: float) -> None: ...
    @property
    def total(self) -> int: ...
    @property
    def offenders(self) -> list[dict[str, Any]]: ...
    @property
    def warnings(self) -> list[dict[str, Any]]: ...
    def path(self, node: int) -> str: ...
    def biggest(self) -> str: ...
    def to_dict(self) -> dict[str, Any]: ...
    @overload
    def to_html(self, path: None = None) -> str: ...
    @overload
    def to_html(self, path: str | PathLike[str]) -> None: ...
    @overload
    def to_dot(self, path: None = None) -> str: ...
    @overload
    def to_dot(self, path: str | PathLike[str]) -> None: ...
    @overload
    def to_svg(self, path: None = None) -> str: ...
    @overload
    def to_svg(self, path: str | PathLike[str]) -> None: ...
    def _repr_html_(self) -> str: ...
