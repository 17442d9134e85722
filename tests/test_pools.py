"""Functions of a script, sent to the pools of the standard library, and used by many threads."""

from shipping import run


def test_a_process_pool_runs_closures_of_the_script_from_their_payloads():
    said = run(
        """
        import concurrent.futures, multiprocessing
        import capers

        def call(data, *arguments):
            return capers.loads(data)(*arguments)

        if __name__ == "__main__":
            def outer(k):
                def fact(n): return k if n == 0 else n * fact(n - 1)
                return fact
            context = multiprocessing.get_context("spawn")
            with concurrent.futures.ProcessPoolExecutor(1, context) as pool:
                jobs = [pool.submit(call, capers.dumps(outer(2)), n) for n in range(5)]
                print([job.result() for job in jobs])
        """
    )
    assert said.strip() == "[2, 2, 4, 12, 48]"


def test_a_payload_loads_after_a_fork():
    said = run(
        """
        import os, sys, capers
        if not hasattr(os, "fork"):
            print("ok")
            sys.exit()
        def f(): return 3
        data = capers.dumps([f, lambda: 4])
        capers.loads(data)
        child = os.fork()
        if not child:
            ok = [g() for g in capers.loads(capers.dumps(capers.loads(data)))] == [3, 4]
            os._exit(0 if ok else 1)
        print("ok" if os.waitpid(child, 0)[1] == 0 else "failed")
        """
    )
    assert said.strip() == "ok"


def test_threads_dump_and_load_while_others_import():
    run(
        """
        import sys, threading, importlib, capers
        sys.setswitchinterval(1e-5)
        K = [1]
        def outer(n):
            def f(k): return K, n if k == 0 else f(k - 1)
            return f
        failures, done = [], threading.Event()
        def work():
            try:
                for i in range(300):
                    g = capers.loads(capers.dumps([outer(i), outer, len]))[0]
                    assert g(2)[1][1][1] == i
            except BaseException as error:
                failures.append(error)
        def churn():
            names = ["json", "colorsys", "wave", "tabnanny", "this_is_no_module"]
            while not done.is_set():
                for name in names:
                    try:
                        importlib.import_module(name)
                    except ImportError:
                        pass
                    sys.modules.pop(name, None)
        threads = [threading.Thread(target=work) for i in range(6)]
        other = threading.Thread(target=churn)
        for each in [*threads, other]: each.start()
        for each in threads: each.join()
        done.set()
        other.join()
        assert not failures, failures
        """
    )


def test_globals_changed_by_another_thread_while_they_are_written_do_no_harm():
    run(
        """
        import sys, threading, capers
        sys.setswitchinterval(1e-6)
        for i in range(300): globals()["g%d" % i] = [i]
        exec("def f(): return [%s]" % ", ".join("g%d" % i for i in range(300)))
        done = threading.Event()
        def churn():
            n = 0
            while not done.is_set():
                n += 1
                globals()["extra%d" % (n % 500)] = n
                globals().pop("extra%d" % ((n + 250) % 500), None)
                globals()["g%d" % (n % 300)] = [n % 300]
        thread = threading.Thread(target=churn)
        thread.start()
        try:
            for i in range(200):
                assert [x[0] for x in capers.loads(capers.dumps(f))()] == list(range(300))
        finally:
            done.set()
            thread.join()
        """
    )
