"""Classes that several threads load, or whose hooks wait for another thread."""

from shipping import run

SETUP = """
import capers, os, pickle, subprocess, sys, threading
here = os.path.dirname(os.path.abspath(__file__))
def put(name, text):
    with open(os.path.join(here, name + ".py"), "w") as file:
        file.write(text)
put("hooking", '''
import threading
SEEN, DO = [], [lambda: None]
class Base:
    def __init_subclass__(cls, **keywords):
        super().__init_subclass__(**keywords)
        SEEN.append(cls.__name__)
        DO[0]()
''')
put("sender", '''
import capers, hooking, sys
class Plain:
    made = []
    def __init_subclass__(cls, **keywords):
        super().__init_subclass__(**keywords)
        Plain.made.append(cls.__name__)
class K(Plain, hooking.Base):
    def get(self): return 5
data = capers.dumps([K, Plain])
if sys.argv[1:]:
    class L(K): pass
    data = capers.dumps(L)
sys.stdout.buffer.write(data)
''')
def sent(*arguments):
    command = [sys.executable, os.path.join(here, "sender.py"), *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
DATA = sent()
import hooking

def start(function):
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread

def join(*threads):
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "it waits for ever"
"""


def test_a_class_that_two_threads_load_at_once_is_made_once():
    run(
        SETUP
        + """
inside, go, loaded = threading.Event(), threading.Event(), []
def hold():
    inside.set()
    go.wait(60)
hooking.DO[0] = hold
one = start(lambda: loaded.append(capers.loads(DATA)[0]))
inside.wait(60)
two = start(lambda: loaded.append(pickle.loads(DATA)[0]))
two.join(0.2)
go.set()
join(one, two)
assert loaded[0] is loaded[1] and hooking.SEEN == ["K"] and loaded[0]().get() == 5
"""
    )


def test_a_hook_may_import_what_another_thread_imports_and_loads_with():
    run(
        SETUP
        + """
put("later", '''
import __main__ as main
main.importing.set()
main.inside.wait(60)
K = main.capers.loads(main.DATA)[0]
''')
importing, inside, loaded = threading.Event(), threading.Event(), []
def bring():
    inside.set()
    import later
hooking.DO[0] = bring
def first():
    import later
    loaded.append(later.K)
one = start(first)
importing.wait(60)
two = start(lambda: loaded.append(capers.loads(DATA)[0]))
join(one, two)
assert loaded[0] is loaded[1] and loaded[0]().get() == 5
"""
    )


def test_hooks_of_the_script_go_on_running_for_classes_that_another_thread_defines():
    run(
        SETUP
        + """
K, Plain = capers.loads(DATA)
class Other(Plain): pass
assert Plain.made == ["K", "Other"]
hook = vars(Plain)["__init_subclass__"]
more = sent("more")
inside, go = threading.Event(), threading.Event()
def hold():
    if threading.current_thread() is not threading.main_thread():
        inside.set()
        go.wait(60)
hooking.DO[0] = hold
loading = start(lambda: capers.loads(more))
inside.wait(60)
class During(Plain): pass
go.set()
join(loading)
class After(Plain): pass
# Where the script is at home, L has been noted since.
assert Plain.made == ["K", "L", "During", "After"], Plain.made
assert vars(Plain)["__init_subclass__"] is hook and hooking.SEEN == ["K", "L"]
"""
    )


def test_a_hook_that_loads_its_own_class_gets_one():
    run(
        SETUP
        + """
def again():
    hooking.DO[0] = lambda: None
    hooking.INNER = capers.loads(DATA)[0]
hooking.DO[0] = again
assert capers.loads(DATA)[0] is hooking.INNER
"""
    )
