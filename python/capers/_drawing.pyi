from typing import Any

MOST: int
WIDTH: int
HEIGHT: int
GAP_X: int
GAP_Y: int
MARGIN: int
COLORS: dict[str, str]

def chosen(data: dict[str, Any]) -> tuple[list[tuple[dict[str, Any], int]], list[tuple[int, int, bool]]]: ...
def dot(data: dict[str, Any]) -> str: ...
def svg(data: dict[str, Any]) -> str: ...
