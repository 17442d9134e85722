"""Runs one program in this process: ``python -m hostile.programs NAME``; without a name, lists them."""

import resource
import sys

from . import programs

LIMIT = 2 << 30

if __name__ == "__main__":
    if len(sys.argv) == 1:
        print("\n".join(programs()))
        sys.exit()
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    programs()[sys.argv[1]]()
    print("ok")
