"""One process of the suite ``memory``: does one thing with one large object and tells how far memory rose meanwhile.

The object is there before the measuring begins, and the tool has been used once on a small one; so what counts is only
what the call itself needs, its result included.
"""

import array
import importlib
import json
import resource
import sys

MIB = 1 << 20
PART = MIB  # the size of one item of the list


def make(what, size):
    """Return an object whose content takes *size* bytes, none of them shared or left untouched."""
    if what == "bytes":
        return b"\x5a" * size
    if what == "bytearray":
        return bytearray(b"\x5a") * size
    if what == "str":
        return "Z" * size
    if what == "array":
        return array.array("d", [0.5]) * (size // 8)
    if what == "list":
        return [bytes([number % 256]) * PART for number in range(size // PART)]
    assert what == "numpy", what
    import numpy

    return numpy.full(size // 8, 0.5)


def memory(field):
    """Return a figure of this process in bytes: ``VmRSS`` now, ``VmHWM`` at its highest."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(field))


def highest_from_now():
    """Let the highest resident set be measured from here on."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def measured(action):
    """Return how many bytes memory rose above where it is now while *action* ran, and what it returned."""
    try:
        highest_from_now()
        before = memory("VmRSS")
        result = action()
        return memory("VmHWM") - before, result
    except FileNotFoundError:
        # Where there is no /proc, the highest ever must do: the object was made in less than the action needs.
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        result = action()
        unit = 1 if sys.platform == "darwin" else 1024
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit, result


def same(one, other):
    """Return whether two of these objects are equal, without making a third."""
    if type(one).__module__ == "numpy":
        return one.dtype == other.dtype and one.shape == other.shape and memoryview(one) == memoryview(other)
    return type(one) is type(other) and one == other


def main(tool, action, what, size, path):
    """Do *action* with *tool* and print how many bytes it took."""
    module = importlib.import_module(tool)
    thing = make(what, size)
    module.loads(module.dumps(make(what, PART), 5))
    if action == "dump":
        with open(path, "wb") as file:
            rose, _ = measured(lambda: module.dump(thing, file, 5))
        with open(path, "rb") as file:
            right = same(thing, importlib.import_module("pickle").load(file))
    elif action == "dumps":
        rose, payload = measured(lambda: module.dumps(thing, 5))
        right = same(thing, importlib.import_module("pickle").loads(payload))
    elif action == "load":
        with open(path, "rb") as file:
            rose, result = measured(lambda: module.load(file))
        right = same(thing, result)
    elif action == "loads":
        del thing
        with open(path, "rb") as file:
            payload = file.read()
        rose, result = measured(lambda: module.loads(payload))
        right = same(make(what, size), result)
    else:
        assert action == "out of band", action

        def there_and_back():
            buffers = []
            payload = module.dumps(thing, 5, buffer_callback=buffers.append)
            return module.loads(payload, buffers=buffers)

        rose, result = measured(there_and_back)
        right = same(thing, result)
    if not right:
        sys.exit(f"{tool} gave back something else")
    print(json.dumps({"bytes": rose}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
