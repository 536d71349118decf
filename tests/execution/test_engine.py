"""The engine from plain papermill, and the provisioner from plain jupyter_client; about 8 s."""

import subprocess
import sys
from pathlib import Path

import nbformat
import papermill
import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager
from nbformat.v4 import new_code_cell, new_notebook
from papermill.exceptions import PapermillExecutionError

PAPERMILL = Path(sys.executable).with_name("papermill")


def write(path, *sources):
    notebook = new_notebook(
        cells=[new_code_cell(source) for source in sources],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    notebook.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, path)
    return path


def test_the_papermill_command_runs_it_in_the_sandbox(cold, tmp_path):
    source, target = write(tmp_path / "in.ipynb", "a = 1", "import os\nprint(a, os.getcwd())"), tmp_path / "out.ipynb"
    done = subprocess.run(
        [PAPERMILL, "--engine", "autograder", "-p", "a", "5", source, target, "--no-progress-bar"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    executed = nbformat.read(target, as_version=4)
    assert executed.cells[-1].outputs[0].text == "5 /home/student\n"
    assert executed.metadata.papermill.parameters == {"a": 5}


def test_papermill_reports_the_first_error_after_all_cells_have_run(tmp_path):
    source, target = write(tmp_path / "in.ipynb", "a = 1", "1 / 0", "print('on')"), tmp_path / "out.ipynb"
    with pytest.raises(PapermillExecutionError, match="ZeroDivisionError"):
        papermill.execute_notebook(source, target, engine_name="autograder", level="none", progress_bar=False)
    executed = nbformat.read(target, as_version=4)
    assert executed.cells[-1].outputs[0].text == "on\n"


def test_a_kernel_specification_can_name_the_provisioner(cold):
    manager = KernelManager()
    manager._kernel_spec = KernelSpec(
        argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        display_name="x",
        language="python",
        metadata={"kernel_provisioner": {"provisioner_name": "autograder-sandbox", "config": {"level": cold}}},
    )
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=30)
        said = []
        client.execute_interactive("import os; print(os.getuid(), os.getcwd())", timeout=20, output_hook=said.append)
        assert [one["content"]["text"] for one in said if one["msg_type"] == "stream"] == ["1000 /home/student\n"]
    finally:
        spool = manager.provisioner.spool.root
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert not spool.exists()
