"""One process of the suite ``leaks``: repeats dumps and loads of ``make()`` and tells how memory grew."""

import gc
import importlib
import json
import os
import resource
import sys
import time

SAMPLES = 5


def resident():
    """Return the resident set in KiB; where the kernel does not tell, the largest it has been."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def repeat(dumps, loads, thing, rounds):
    """Do *rounds* round trips."""
    for _ in range(rounds):
        loads(dumps(thing))


def main(make, tool, rounds):
    """Sample memory between equal shares of the rounds; the first share is the warm-up."""
    module = importlib.import_module(tool)
    thing = make()
    share = max(1, rounds // SAMPLES)
    samples = []
    begun = time.perf_counter()
    for _ in range(SAMPLES):
        repeat(module.dumps, module.loads, thing, share)
        gc.collect()
        samples.append((resident(), sys.getallocatedblocks()))
    spent = time.perf_counter() - begun
    print(
        json.dumps(
            {
                "rounds": share * SAMPLES,
                "microseconds": spent / (share * SAMPLES) * 1e6,
                "kibibytes": samples[-1][0] - samples[0][0],
                "blocks": samples[-1][1] - samples[0][1],
            }
        )
    )


if __name__ == "worker":
    main(globals()["make"], sys.argv[1], int(sys.argv[2]))
