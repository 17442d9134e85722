"""Bases, metaclasses and descriptors of a library, whose hooks note what they see."""

SEEN, MADE, MODELS, SCANNED = [], [], [], []


class Base:
    def __init_subclass__(cls, **kw):
        SEEN.append((cls.__name__, kw, hasattr(cls, "x")))


class Meta(type):
    def __new__(m, name, bases, ns, *, table, **kw):
        c = super().__new__(m, name, bases, ns)
        return c

    def __init__(c, name, bases, ns, table, flag=False):
        super().__init__(name, bases, ns)
        MADE.append((name, table, flag))


class Field:
    def __init__(self, t):
        self.type = t

    def __set_name__(self, owner, name):
        self.owner, self.name = owner, name


class Model:
    def __init_subclass__(cls):
        cls.fields = {n: v for n, v in vars(cls).items() if isinstance(v, Field)}
        MODELS.append((cls.__name__, [f.name for f in cls.fields.values()]))


class Scan:
    def __init_subclass__(cls):
        SCANNED.append(
            (cls.__name__, {n: type(v).__name__ for n, v in vars(cls).items() if hasattr(type(v), "__set_name__")})
        )
