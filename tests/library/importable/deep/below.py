"""A submodule that somebody has to import."""


def answer():
    return 42
