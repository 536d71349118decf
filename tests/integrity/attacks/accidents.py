"""Beside a right answer: names shadowed and libraries patched by students who mean no harm. All of it must cost nothing."""

# %% shadowed_names
open = print = len = list = dict = str = int = sys = os = json = np = io = type = isinstance = repr = 0

# %% patched_open
import builtins

builtins.open = lambda *arguments, **options: 1 / 0

# %% patched_builtins
import builtins

for name in ("print", "sum", "round", "abs", "open", "input", "pow", "divmod"):
    setattr(builtins, name, None)

# %% patched_json
import functools
import json

json.dumps = functools.partial(json.dumps, indent=8)
json.loads, json.load = functools.partial(json.loads, parse_float=str), None

# %% patched_numpy
import numpy as np

np.asarray = np.array = np.load = np.save = None
np.lib.format.write_array = np.lib.format.read_array = None
np.random.seed = np.random.get_state = None

# %% patched_zipfile
import zipfile

zipfile.ZipFile = zipfile.is_zipfile = None

# %% patched_os
import os

os.replace = os.path.join = os.getcwd = os.chdir = None

# %% patched_tracebacks
import linecache, traceback

linecache.getline = traceback.walk_tb = traceback.format_exc = None

# %% patched_time
import time

time.time = time.monotonic = time.perf_counter = lambda: 0.0

# %% patched_random
import random

random.seed = random.getstate = random.setstate = None

# %% standard_output_closed
import logging, os, sys

os.close(1)
os.close(2)
sys.__stdout__ = sys.__stderr__ = None
logging.disable(50)

# %% a_working_folder_that_is_gone
import os, tempfile

gone = tempfile.mkdtemp()
os.chdir(gone)
os.rmdir(gone)

# %% an_empty_environment
import os, sys

os.environ.clear()
sys.path.clear()

# %% warnings_as_errors
import warnings

warnings.simplefilter("error")

# %% a_module_of_ones_own_called_keras
import sys, types

keras = sys.modules["keras"] = types.ModuleType("keras")
keras.Model = 5


# %% objects_that_dislike_being_looked_at
class Shy:
    def __getattribute__(self, name):
        raise RuntimeError(f"do not ask for {name}")

    def __eq__(self, other):
        raise RuntimeError("do not compare")

    __hash__ = None


class Liar:
    __class__ = property(lambda self: 1 / 0)


shy, liars = Shy(), [Liar(), {"shy": Shy()}]
globals()[7] = shy

# %% a_last_word_at_exit
import atexit

atexit.register(lambda: 1 / 0)

# %% no_interrupts
import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)

# %% hooks_that_count_cells
cells = []
get_ipython().events.register("pre_execute", lambda: cells.append(1))
get_ipython().events.register("post_run_cell", lambda result: cells.append(result))
get_ipython().input_transformers_post.append(lambda lines: lines)

# %% an_excepthook_of_ones_own
import sys

sys.excepthook = sys.displayhook = sys.unraisablehook = None
get_ipython().set_custom_exc((Exception,), lambda *arguments, **options: None)
