"""Which modules are the user's own: not those of the standard library, nor what an installer has put there.

A helper beside the script, a package below the working directory and an editable checkout are; the same decision is made for
a module that lies in an archive of its own.  Nothing here is named inside a pickle.
"""

import functools
import os
import sys

INSTALLED = ("site-packages", "dist-packages")
SOURCES = (".py", ".pyw", ".pyc")


def is_local(module):
    """Whether *module* was loaded from a source file outside of the standard library and of site-packages."""
    spec = getattr(module, "__spec__", None)
    origin = getattr(spec, "origin", None) or getattr(module, "__file__", None)
    if origin is None:
        # A package without an __init__.py is where its folders are.
        folders = list(getattr(module, "__path__", ()))
        return bool(folders) and all(_is_outside(folder) for folder in folders)
    name = getattr(module, "__name__", "")
    return origin.endswith(SOURCES) and name.partition(".")[0] != "capers" and _is_outside(origin)


@functools.cache
def _is_outside(path):
    real = os.path.realpath(path)
    if any(part in INSTALLED for part in real.split(os.sep)):
        return False
    return not any(real == folder or real.startswith(folder + os.sep) for folder in _installation())


@functools.cache
def _installation():
    """Return the folders of the standard library and of everything installed for this interpreter."""
    import site
    import sysconfig

    folders = {sysconfig.get_path(each) for each in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders.add(os.path.dirname(os.__file__))
    folders.update(getattr(site, "getsitepackages", list)())
    folders.add(getattr(site, "USER_SITE", None))
    # A zip of the standard library, where there is one.
    folders.update(each for each in sys.path if each.endswith(".zip") and each.startswith(sys.base_prefix))
    return [os.path.realpath(each) for each in folders if each]
