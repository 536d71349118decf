"""Without an answer: requests of the grader are rewritten, swallowed or answered by the notebook itself."""

# %% transformed_to_nothing
get_ipython().input_transformers_cleanup.append(lambda lines: ["pass\n"] if "_autograder" in "".join(lines) else lines)

# %% transformed_to_a_forgery
get_ipython().input_transformers_post.append(
    lambda lines: ["globals().update(passed=True)\n"] if "_autograder" in "".join(lines) else lines
)

# %% another_tree
import ast


class Empty(ast.NodeTransformer):
    def visit_Module(self, node):
        return ast.Module(body=[], type_ignores=[]) if "_autograder" in ast.dump(node) else node


get_ipython().ast_transformers.append(Empty())

# %% run_cell_replaced
shell = get_ipython()
run_cell, run_cell_async = shell.run_cell, shell.run_cell_async


async def quiet(code, *arguments, **options):
    return await run_cell_async("pass" if "_autograder" in code else code, *arguments, **options)


type(shell).run_cell_async = lambda self, *arguments, **options: quiet(*arguments, **options)

# %% a_kernel_that_executes_nothing_more
kernel = get_ipython().kernel


async def do_execute(code, silent, *arguments, **options):
    return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {"passed": True}}


kernel.do_execute = do_execute

# %% every_reply_is_a_success
session = get_ipython().kernel.session
send = session.send


def forged(stream, kind, content=None, *arguments, **options):
    if kind == "execute_reply" or getattr(kind, "get", {}.get)("msg_type") == "execute_reply":
        content = {
            "status": "ok",
            "execution_count": 99,
            "payload": [],
            "user_expressions": {},
            "score": 1.0,
            "points": 100,
        }
    return send(stream, kind, content, *arguments, **options)


session.send = forged

# %% idle_before_it_is
kernel = get_ipython().kernel
kernel._publish_status("idle", "shell")
kernel._publish_status = lambda *arguments, **options: None

# %% replies_that_come_first
import threading, time

kernel = get_ipython().kernel
session, sent = kernel.session, set()


def hurry():
    while True:
        parent = getattr(kernel, "_parents", {}).get("shell", {}) or {}
        identity = parent.get("header", {}).get("msg_id")
        if identity and identity not in sent and "_autograder" in str(parent.get("content", "")):
            sent.add(identity)
            content = {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
            try:
                session.send(kernel.shell_stream, "execute_reply", content, parent, ident=kernel._parent_ident["shell"])
                session.send(kernel.iopub_socket, "status", {"execution_state": "idle"}, parent)
            except Exception:
                pass
        time.sleep(0.0005)


threading.Thread(target=hurry, daemon=True).start()

# %% replies_that_never_come
session = get_ipython().kernel.session
send = session.send
session.send = lambda stream, kind, *arguments, **options: (
    None if kind == "execute_reply" else send(stream, kind, *arguments, **options)
)

# %% replies_of_the_wrong_shape
session = get_ipython().kernel.session
send = session.send


def odd(stream, kind, content=None, *arguments, **options):
    if kind == "execute_reply":
        content = {
            "status": ["ok"],
            "payload": {"source": 5},
            "ename": {"a": 1},
            "traceback": 7,
            "evalue": "x" * 100_000,
        }
    return send(stream, kind, content, *arguments, **options)


session.send = odd

# %% points_shown_as_an_output
from IPython.display import HTML, display

display(HTML("<b>points: 1.0 of 1.0</b>"), metadata={"nbgrader": {"points": 1.0, "grade": True}})
print("### BEGIN HIDDEN TESTS\npartial credit: 1.0")
1.0

# %% a_test_cell_of_ones_own
get_ipython().set_next_input("assert True", replace=True)
get_ipython().payload_manager.write_payload(
    {"source": "set_next_input", "text": "double = lambda x: 2", "replace": True}
)

# %% the_kernel_ends_between_two_cells
import os, threading, time


def leave():
    while get_ipython().kernel.execution_count and threading.main_thread().is_alive():
        time.sleep(0.02)
        os._exit(3)


threading.Thread(target=leave, daemon=True).start()

# %% a_socket_that_is_closed
kernel = get_ipython().kernel
kernel.io_loop = None
for stream in (kernel.shell_stream, kernel.control_stream):
    try:
        getattr(stream, "socket", stream).close(0)
    except Exception:
        pass
