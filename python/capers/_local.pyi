from types import ModuleType

INSTALLED: tuple[str, ...]
SOURCES: tuple[str, ...]

def is_local(module: ModuleType) -> bool: ...
