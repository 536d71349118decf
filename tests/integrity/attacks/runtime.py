"""Without an answer: the modules that examine the notebook are replaced or patched."""

# %% a_runtime_that_claims_success
import sys, types

sys.modules["_autograder_runtime"] = types.SimpleNamespace(probe=lambda *arguments: None)

# %% a_runtime_that_writes_what_it_likes
import sys

runtime, codec = sys.modules["_autograder_runtime"], sys.modules["_autograder_codec"]


def probe(question, answer):
    codec.Writer(10**6).write(f"{runtime._settings['outbox']}/{answer}.npz", {"value": 84, "type": "str"})


runtime.probe = probe

# %% a_writer_that_adds_to_what_is_written
import sys

codec = sys.modules["_autograder_codec"]
write = codec.Writer.write
codec.Writer.write = lambda self, path, tree: write(self, path, {**tree, "value": True, "right": True, "passed": True})

# %% the_answers_of_another_question
import sys

codec = sys.modules["_autograder_codec"]
write = codec.Writer.write
codec.Writer.write = lambda self, path, tree: write(self, path, {"total": 10})

# %% modules_removed
import sys

for name in [name for name in sys.modules if name.startswith("_autograder")]:
    del sys.modules[name]

# %% settings_changed
import sys

settings = sys.modules["_autograder_runtime"]._settings
settings.update(outbox="/tmp", inbox="/tmp", seed=0, max_bytes=10**12, shell=None)

# %% the_notebook_is_not_put_back
import sys

sys.modules["_autograder_checkpoint"].restore = lambda namespace, saved: namespace.clear()

# %% a_probe_that_leaves_at_once
import sys

runtime = sys.modules["_autograder_runtime"]
runtime.run_probe = lambda *arguments: None

# %% import_is_not_import
import builtins

importer = builtins.__import__


def importing(name, *arguments, **options):
    if name == "sys":
        raise ImportError("no")
    return importer(name, *arguments, **options)


builtins.__import__ = __import__ = importing

# %% a_student_that_has_everything
import sys

runtime = sys.modules["_autograder_runtime"]
runtime.Student.__getattr__ = lambda self, name: lambda *arguments: 4
