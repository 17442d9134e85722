from collections.abc import Callable
from typing import Any, NamedTuple, TextIO

class Progress(NamedTuple):
    bytes: int
    total: int | None
    seconds: float
    finished: bool

def teller(progress: object, doing: str) -> Callable[[Progress], object] | None: ...
def left(read: Callable[..., Any]) -> int | None: ...

class _Bar:
    doing: str
    stream: TextIO
    tqdm: type[Any]
    bar: Any
    def __init__(self, doing: str, stream: TextIO, tqdm: type[Any]) -> None: ...
    def __call__(self, progress: Progress) -> None: ...
    def __del__(self) -> None: ...

class _Line:
    doing: str
    stream: TextIO
    width: int
    def __init__(self, doing: str, stream: TextIO) -> None: ...
    def __call__(self, progress: Progress) -> None: ...
    def __del__(self) -> None: ...
