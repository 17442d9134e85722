"""Hooks of what can be imported run once and see what the class statement showed them; hooks of the script keep still."""

from shipping import ship


def test_an_importable_hook_gets_keywords_that_the_class_does_not_show():
    ship(
        """
        import importable_hooks
        class K(importable_hooks.Base, topic='news', level=3): x = 1
        obj = K
        """,
        """
        import importable_hooks
        assert importable_hooks.SEEN == [('K', {'topic': 'news', 'level': 3}, True)] and obj.x == 1
        """,
        in_place=False,
    )


def test_an_importable_metaclass_gets_its_keywords_and_is_initialized():
    ship(
        """
        import importable_hooks
        class K(metaclass=importable_hooks.Meta, table='rows', flag=True): x = 1
        obj = K()
        """,
        """
        import importable_hooks
        assert importable_hooks.MADE == [('K', 'rows', True)] and type(obj).x == 1
        """,
        in_place=False,
    )


def test_keywords_that_are_names_and_displays_are_evaluated():
    ship(
        """
        import importable_hooks
        TOPIC = 'glob'
        class K(importable_hooks.Base, topic=TOPIC, level=[1, {'a': (2,)}]): x = 1
        obj = K
        """,
        """
        import importable_hooks
        assert importable_hooks.SEEN == [('K', {'topic': 'glob', 'level': [1, {'a': (2,)}]}, True)]
        """,
        in_place=False,
    )


def test_a_hook_finds_descriptors_that_lead_back_to_the_class():
    ship(
        """
        import importable_hooks
        class M(importable_hooks.Model):
            a = importable_hooks.Field(int)
            b = importable_hooks.Field(str)
        obj = M
        """,
        """
        import importable_hooks
        assert list(obj.a.owner.fields) == ['a', 'b'] and obj.a.owner is obj and obj.fields['b'] is obj.b, vars(obj)
        assert importable_hooks.MODELS == [('M', ['a', 'b'])], importable_hooks.MODELS
        """,
        in_place=False,
    )


def test_a_hook_finds_descriptors_of_the_script():
    ship(
        """
        import importable_hooks
        class D:
            def __init__(self, n): self.n = n
            def __set_name__(self, o, name): self.name = name
            def __get__(self, o, t=None): return self if o is None else self.n
        class M(importable_hooks.Scan):
            d = D(4)
        obj = M()
        """,
        """
        import importable_hooks
        assert obj.d == 4 and importable_hooks.SCANNED == [('M', {'d': 'D'})], importable_hooks.SCANNED
        """,
        in_place=False,
    )


def test_hooks_of_the_script_do_not_run_again_but_for_new_subclasses():
    ship(
        """
        class A:
            reg = []
            def __init_subclass__(cls, /, tag, **kw): super().__init_subclass__(**kw); cls.tag = tag; A.reg.append(tag)
        class B(A, tag='b'): ...
        class C(B, tag='c'):
            def __init_subclass__(cls, **kw): super().__init_subclass__(tag='sub', **kw)
        class D(C): ...
        obj = D
        """,
        """
        A = obj.__mro__[-2]
        assert A.reg == ['b', 'c', 'sub'] and obj.tag == 'sub'
        class E(obj): ...
        assert A.reg == ['b', 'c', 'sub', 'sub'] and E.tag == 'sub'
        """,
    )


def test_a_hook_that_notes_its_subclass_in_its_base_does_so_once():
    ship(
        """
        def outer():
            class Base:
                subs = []
                def __init_subclass__(cls): Base.subs.append(cls)
            class Child(Base):
                def get(self): return Base.subs, Child
            return Child
        obj = outer()
        """,
        """
        subs, C = obj().get()
        assert subs == [obj] and C is obj
        """,
    )


def test_a_metaclass_that_keeps_one_instance_keeps_it():
    ship(
        """
        class Single(type):
            _inst = {}
            def __call__(cls, *a):
                if cls not in cls._inst: cls._inst[cls] = super().__call__(*a)
                return cls._inst[cls]
        class Conf(metaclass=Single):
            def __init__(self, v): self.v = v
        c = Conf(4)
        obj = c, Conf
        """,
        """
        c, Conf = obj
        assert Conf(9) is c and c.v == 4
        """,
    )
