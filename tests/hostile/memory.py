"""How much address space this process uses, and a cap on what it may add."""

import mmap
import os
import resource

MIB = 1 << 20
HARD = 2 << 30  # the cap on everything, in bytes
PAGE = resource.getpagesize()


def limit(size):
    """Cap the address space of this process at *size* bytes, as far as it may be."""
    resource.setrlimit(resource.RLIMIT_AS, (min(size, HARD), HARD))


def used():
    """Return the size of the address space of this process in bytes."""
    if os.path.exists("/proc/self/statm"):
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * PAGE
    return probed()


def probed():
    """As `used`, found out by trying at which cap a page can still be had."""
    low, high = 0, HARD // PAGE
    while low < high:
        middle = (low + high) // 2
        limit(middle * PAGE)
        try:
            mmap.mmap(-1, PAGE).close()
        except (OSError, MemoryError):
            low = middle + 1
        else:
            high = middle
    limit(HARD)
    return (low - 1) * PAGE


def leave(size):
    """Leave so many bytes of address space."""
    limit(used() + size)
