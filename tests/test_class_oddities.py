"""Odd classes and odd instances of a script arrive as they were."""

import pytest
from shipping import ship

CASES = {
    "enum_in_two_payloads_with_odd_values": (
        """
        import enum
        import capers as t
        class V:
            def __init__(self, n): self.n = n
        class E(enum.Enum):
            A = V(1)
            B = enum.member(lambda: 5)
            C = object()
            D = [1]
            N = float('nan')
        obj = [t.dumps([E.A, E.B, E.C, E.D, E.N]), t.dumps([E.A, E.B, E.C, E.D, E.N, E])]
        """,
        """
        import capers as t
        x = t.loads(obj[0]); *y, E = t.loads(obj[1])
        assert all(a is b for a, b in zip(x, y)) and E.A.value.n == 1 and x[1].value() == 5
        """,
    ),
    "enum_changed_at_home_and_back": (
        """
        import enum
        import capers as t
        class E(enum.Enum):
            A = object()
            B = 2
        f = enum.Flag('F', 'X Y Z')
        assert t.loads(t.dumps(E.A)) is E.A and t.loads(t.dumps(f.X|f.Z)) is f.X|f.Z
        obj = 1
        """,
        """
        assert obj == 1
        """,
    ),
    "slots_by_generator": (
        """
        class A:
            __slots__ = (n for n in ('x', '__y'))
            def __init__(self): self.x, self.__y = 1, 2
            def y(self): return self.__y
        obj = A
        """,
        """
        a = obj()
        assert a.x == 1 and a.y() == 2 and not hasattr(a, '__dict__')
        """,
    ),
    "slots_with_shadowed_names_and_weakref": (
        """
        class A:
            __slots__ = ('a', '__weakref__', '__dict__')
        class B(A):
            __slots__ = ('a',)
        b = B(); b.a = 2; A.a.__set__(b, 1); b.z = 3
        obj = b
        """,
        """
        import weakref
        A = type(obj).__base__
        assert obj.a == 2 and obj.z == 3 and weakref.ref(obj)() is obj
        """,
    ),
    "slots_with_property_of_the_private_name": (
        """
        class A:
            __slots__ = ('_A__x', '_y')
            @property
            def y(self): return self._y
        a = A(); a._y = 5; a._A__x = 1
        obj = a
        """,
        """
        assert obj.y == 5 and obj._A__x == 1
        """,
    ),
    "slots_with_default_by_class_var_removed": (
        """
        class A:
            __slots__ = ('x',)
        a = A(); a.x = a
        obj = a
        """,
        """
        assert obj.x is obj
        """,
    ),
    "new_with_required_argument": (
        """
        class K:
            def __new__(cls, x): o = super().__new__(cls); o.x = x; return o
            def __init__(self, x): pass
        obj = K(3)
        """,
        """
        assert obj.x == 3
        """,
    ),
    "tuple_subclass_with_own_new": (
        """
        class T(tuple):
            def __new__(cls, a, b): return super().__new__(cls, (a, b))
        class I(int):
            def __new__(cls, a, b): o = super().__new__(cls, a + b); o.b = b; return o
        class S(str):
            def __new__(cls, *, text): return super().__new__(cls, text)
        obj = T(1, 2), I(1, 2), S(text='x')
        """,
        """
        t, i, s = obj
        assert t == (1, 2) and type(t).__name__ == 'T' and i == 3 and i.b == 2 and s == 'x'
        """,
    ),
    "frozen_set_of_own_and_dict_keys_of_own_hash": (
        """
        class P:
            def __init__(self, x): self.x = x
            def __hash__(self): return hash(self.x)
            def __eq__(self, o): return self.x == o.x
        p = P(1)
        obj = {p: 1}, frozenset([p]), {P(2), P(3)}, p
        """,
        """
        d, f, s, p = obj
        assert d[p] == 1 and p in f and len(s) == 2
        """,
    ),
    "slotnames_not_carried": (
        """
        import copyreg
        class K: __slots__ = ('a',)
        copyreg._slotnames(K)
        obj = K
        """,
        """
        assert '__slotnames__' not in vars(obj)
        """,
    ),
    "class_with_doc_none_and_property_doc": (
        """
        class K:
            __slots__ = ('x',)
            @property
            def p(self):
                "pdoc"
                return 1
        obj = K
        """,
        """
        assert obj.__doc__ is None and '__doc__' in vars(obj) and obj.p.__doc__ == 'pdoc'
        """,
    ),
    "class_doc_set_later": (
        """
        class K: pass
        K.__doc__ = 'later'
        class L:
            "first"
        L.__doc__ = None
        obj = K, L
        """,
        """
        assert obj[0].__doc__ == 'later' and obj[1].__doc__ is None
        """,
    ),
    "classmethod_staticmethod_property_subclass": (
        """
        import functools
        class lazy(property):
            def __init__(self, f, extra=1): super().__init__(f); self.extra = extra
        class cm(classmethod):
            tag = 1
        class K:
            @lazy
            def p(self): return 5
            @cm
            def c(cls): return cls
        obj = K
        """,
        """
        assert obj().p == 5 and obj.__dict__['p'].extra == 1 and obj.c() is obj and obj.__dict__['c'].tag == 1
        """,
    ),
    "class_with_getattr_metaclass": (
        """
        class Meta(type):
            def __getattr__(cls, name): return ('meta', name)
        class K(metaclass=Meta): x = 1
        obj = K
        """,
        """
        assert obj.x == 1 and obj.whatever == ('meta', 'whatever')
        """,
    ),
    "class_with_getattribute_metaclass": (
        """
        class Meta(type):
            def __getattribute__(cls, name):
                if name.startswith('__') : return type.__getattribute__(cls, name)
                return ('meta', name)
        class K(metaclass=Meta): x = 1
        obj = K
        """,
        """
        assert obj.x == ('meta', 'x') and obj.__dict__['x'] == 1
        """,
    ),
    "metaclass_with_eq_and_hash": (
        """
        class Meta(type):
            def __eq__(c, o): return c.__name__ == getattr(o, '__name__', None)
            def __hash__(c): return hash(c.__name__)
        class A(metaclass=Meta): ...
        class B(metaclass=Meta): ...
        B.__name__ = 'A'
        obj = A, B
        """,
        """
        A, B = obj
        assert A == B and A is not B
        """,
    ),
    "metaclass_with_slots_like_attributes_on_the_class": (
        """
        class Meta(type):
            @property
            def up(cls): return cls.__name__ * 2
            def __len__(cls): return 3
            def __iter__(cls): return iter('ab')
            def __contains__(cls, x): return x == 1
        class K(metaclass=Meta): ...
        obj = K
        """,
        """
        assert obj.up == 'KK' and len(obj) == 3 and list(obj) == ['a', 'b'] and 1 in obj
        """,
    ),
    "metaclass_false_in_bool": (
        """
        class Meta(type):
            def __bool__(cls): return False
        class K(metaclass=Meta):
            x = 1
        obj = K, K()
        """,
        """
        K, k = obj
        assert not K and k.x == 1 and type(k) is K
        """,
    ),
    "object_false_or_with_eq_raising": (
        """
        class K:
            def __bool__(self): raise TypeError
            def __eq__(self, o): raise TypeError
            __hash__ = object.__hash__
            def __len__(self): raise TypeError
            def __repr__(self): raise TypeError
        obj = K(), [K()]
        """,
        """
        assert type(obj[0]) is type(obj[1][0])
        """,
    ),
    "instance_attribute_that_shadows_a_method_and_class_property": (
        """
        class K:
            def m(self): return 1
        k = K(); k.m = lambda: 2; k.__dict__['odd key'] = 3
        obj = k
        """,
        """
        assert obj.m() == 2 and vars(obj)['odd key'] == 3
        """,
    ),
    "instance_dict_with_non_string_keys": (
        """
        class K: pass
        k = K(); k.__dict__[1] = 'one'
        obj = k
        """,
        """
        assert vars(obj)[1] == 'one'
        """,
    ),
    "class_namespace_with_odd_keys_through_vars": (
        """
        K = type('K', (), {'a b': 1, 'é': 2, '': 3})
        obj = K
        """,
        """
        assert vars(obj)['a b'] == 1 and vars(obj)['é'] == 2 and vars(obj)[''] == 3
        """,
    ),
    "class_assignment_and_class_property": (
        """
        class A: pass
        class B:
            @property
            def __class__(self): return A
        a = A(); a.__class__ = B
        obj = a, B()
        """,
        """
        import builtins
        a, b = obj
        assert builtins.type(a).__name__ == 'B' and isinstance(b, b.__class__) and b.__class__.__name__ == 'A'
        """,
    ),
    "class_with_nested_class_by_same_name_and_closures_sharing": (
        """
        def make():
            x = [0]
            class A:
                def inc(self): x[0] += 1
                class A:
                    def get(self): return x[0]
            return A
        obj = make()
        """,
        """
        a = obj(); a.inc()
        assert obj.A().get() == 1 and obj.A.__qualname__ == 'make.<locals>.A.A'
        """,
    ),
    "method_class_cell_after_class_replaced_by_dataclass_slots": (
        """
        import dataclasses
        @dataclasses.dataclass(slots=True)
        class A:
            x: int
            def me(self): return __class__
        obj = A(1)
        orig = A(1).me() is A
        obj = A(1), orig
        """,
        """
        a, orig = obj
        assert (a.me() is type(a)) == orig
        """,
    ),
    "functions_with_same_closure_cell_as_class_body": (
        """
        def make():
            n = 0
            def bump():
                nonlocal n; n += 1
            class K:
                b = staticmethod(bump)
                get = lambda self: n
            return K, bump
        obj = make()
        """,
        """
        K, bump = obj
        bump(); K.b(); assert K().get() == 2 and K.__dict__['b'].__func__ is bump
        """,
    ),
    "property_shared_by_two_classes": (
        """
        p = property(lambda self: self.x)
        class A: x = 1; q = p
        class B: x = 2; r = p
        obj = A, B
        """,
        """
        A, B = obj
        assert A.q is B.r and A().q == 1 and B().r == 2
        """,
    ),
    "generic_alias_base_of_by_value_generic_and_subscript_of_class_attribute": (
        """
        import typing
        T = typing.TypeVar('T')
        class A(typing.Generic[T]):
            kinds = typing.ClassVar[typing.Dict[str, 'A']]
            def me(self: 'A[T]') -> 'A[T]': return self
        class B(A[T], typing.Generic[T]): ...
        class C(B[int]): ...
        obj = C
        """,
        """
        import typing
        B = obj.__base__; A = B.__base__
        assert obj.__orig_bases__ == (B[int],) and A.__parameters__ == B.__parameters__ and obj.__parameters__ == ()
        """,
    ),
    "abc_with_abstract_property_override_subclass_register_chain": (
        """
        import abc
        class A(metaclass=abc.ABCMeta):
            @abc.abstractmethod
            def f(self): ...
        class B(A):
            f = 1
        A.register(int)
        class V: ...
        A.register(V)
        V2 = A.register(type('V2', (), {}))
        obj = A, B(), V, V2
        """,
        """
        A, b, V, V2 = obj
        assert issubclass(int, A) and issubclass(V, A) and isinstance(V2(), A) and b.f == 1 and not issubclass(str, A)
        """,
    ),
    "dataclass_eq_hash_field_defaults_referencing_the_class_later": (
        """
        import dataclasses, typing
        @dataclasses.dataclass(unsafe_hash=True)
        class Tree:
            left: 'typing.Optional[Tree]' = None
            right: 'typing.Optional[Tree]' = dataclasses.field(default=None, repr=False)
        t = Tree(Tree(), None)
        obj = t
        """,
        """
        import dataclasses, typing
        assert obj == type(obj)(type(obj)(), None) and hash(obj.left) == hash(type(obj)())
        assert dataclasses.asdict(obj)['left']['left'] is None
        """,
    ),
    "class_with_a_generator_coroutine_function_methods": (
        """
        class K:
            def g(self): yield self
            async def c(self): return self
            async def ag(self): yield self
            def comp(self): return [self.x for _ in range(2)]
            x = 3
        obj = K()
        """,
        """
        import asyncio
        assert next(obj.g()) is obj and asyncio.run(obj.c()) is obj and obj.comp() == [3, 3]
        """,
    ),
    "private_name_mangling_in_nested_functions": (
        """
        class K:
            __n = 4
            def get(self):
                def inner(): return self.__n
                return inner()
        obj = K()
        """,
        """
        assert obj.get() == 4 and obj._K__n == 4
        """,
    ),
    "operator_overloads_and_reflected_on_class_via_metaclass": (
        """
        class M(type):
            def __or__(c, o): return ('or', c.__name__)
            def __getitem__(c, k): return k
        class K(metaclass=M): ...
        obj = K
        """,
        """
        assert obj | 3 == ('or', 'K') and obj['x'] == 'x'
        """,
    ),
    "module_global_function_writes": (
        """
        import types
        m = types.ModuleType('dyn')
        exec("n = 0\\ndef set(v):\\n    global n\\n    n = v\\ndef get(): return n\\nclass K:\\n    def bump(self):\\n        global n\\n        n += 1\\nself = None", m.__dict__)
        m.self = m
        obj = m
        """,
        """
        obj.set(4); obj.K().bump()
        assert obj.n == 5 == obj.get() and obj.self is obj and obj.set.__globals__ is vars(obj)
        """,
    ),
    "dynamic_module_in_sys_modules_with_submodule": (
        """
        import sys, types
        p = sys.modules['pkgx'] = types.ModuleType('pkgx'); p.__path__ = []
        s = sys.modules['pkgx.sub'] = types.ModuleType('pkgx.sub'); p.sub = s
        exec("def f(): return 3", s.__dict__)
        exec("import pkgx.sub\\ndef g(): return pkgx.sub.f()", p.__dict__)
        obj = p.g, p
        """,
        """
        g, p = obj
        assert g() == 3 and p.sub.f() == 3 and p.g is g
        """,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_arrives_as_it_was(name):
    script, check = CASES[name]
    ship(script, check, in_place="dumps" not in script)
