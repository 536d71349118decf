"""Without an answer: the evidence is written, replaced or damaged by hand."""

# %% written_before_it_is_asked_for
import sys

folder = sys.modules["_autograder_runtime"]._settings["outbox"]
for name in ("double", "total", "q"):
    sys.modules["_autograder_codec"].Writer(10**6).write(f"{folder}/{name}.npz", {"value": 84, "type": "int"})

# %% rewritten_by_a_thread
import os, sys, threading

codec, folder = sys.modules["_autograder_codec"], sys.modules["_autograder_runtime"]._settings["outbox"]


def rewrite():
    while True:
        try:
            for name in os.listdir(folder):
                if name.endswith(".npz"):
                    codec.Writer(10**6).write(f"{folder}/{name}", {"value": 84, "type": "str"})
        except OSError:
            pass


threading.Thread(target=rewrite, daemon=True).start()

# %% grown_while_it_is_copied
import os, sys, threading

folder = sys.modules["_autograder_runtime"]._settings["outbox"]


def grow():
    while True:
        try:
            for name in os.listdir(folder):
                with open(f"{folder}/{name}", "ab") as file:
                    file.write(b"x" * 4096)
        except OSError:
            pass


threading.Thread(target=grow, daemon=True).start()

# %% a_link_to_another_file
import os, sys

codec = sys.modules["_autograder_codec"]
codec.Writer.write = lambda self, path, tree: os.symlink("/etc/passwd", path)

# %% a_second_name_for_the_file
import os, sys

codec = sys.modules["_autograder_codec"]
write = codec.Writer.write
codec.Writer.write = lambda self, path, tree: (write(self, path, tree), os.link(path, path + ".too"))

# %% a_pipe
import os, sys

sys.modules["_autograder_codec"].Writer.write = lambda self, path, tree: os.mkfifo(path)

# %% a_folder
import os, sys

sys.modules["_autograder_codec"].Writer.write = lambda self, path, tree: os.makedirs(path + "/a/b")

# %% far_too_large
import os, sys


def write(self, path, tree):
    with open(path, "wb") as file:
        os.ftruncate(file.fileno(), 400 * 2**20)


sys.modules["_autograder_codec"].Writer.write = write

# %% a_pickle
import io, sys, zipfile
import numpy as np


class Bomb:
    def __reduce__(self):
        return (print, ("executed in the grader",))


def write(self, path, tree):
    member = io.BytesIO()
    np.lib.format.write_array(member, np.array([Bomb()], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tree.json", '{"value": {"$array": "a0.npy"}, "type": "int"}')
        archive.writestr("a0.npy", member.getvalue())


sys.modules["_autograder_codec"].Writer.write = write

# %% names_that_lead_out_of_the_folder
import sys, zipfile


def write(self, path, tree):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tree.json", '{"value": {"$array": "../../solutions/a0.npy"}, "type": "int"}')
        archive.writestr("../../solutions/tiny/hidden_tests/test_double.py", "def test_value():\n    pass\n")


sys.modules["_autograder_codec"].Writer.write = write

# %% nested_without_end
import sys, zipfile


def write(self, path, tree):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tree.json", '{"value": ' + "[" * 200_000 + "]" * 200_000 + ', "type": "int"}')


sys.modules["_autograder_codec"].Writer.write = write

# %% claims_of_an_exception
import sys

codec = sys.modules["_autograder_codec"]
write = codec.Writer.write
raised = {
    "$raised": {"name": "TimeLimit", "message": "the grader is at fault", "function": 5, "line": "1", "source": [1]}
}
codec.Writer.write = lambda self, path, tree: write(self, path, {"value": raised, "$probe": raised})
