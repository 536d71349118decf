"""gpu_training: on a machine with a GPU, weights lay on it and it worked; without one, this is not assessed."""

from autograder.checks import Given, NotAssessed, expect, lies_on_gpu, require_gpu, was_busy

TOPIC = "Lecture on hardware:"


def given():
    return Given()


def probe(student, given):
    import os

    import tensorflow as tf

    return {
        "visible": lambda: [device.name for device in tf.config.list_physical_devices("GPU")],
        "hidden": lambda: os.environ.get("CUDA_VISIBLE_DEVICES", "unset").strip() in ("", "-1"),
        "devices": lambda: [fit["devices"] for fit in student.fits if fit["finished"]],
    }


def require_usable_gpu(evidence, run):
    visible = evidence["visible"]
    require_gpu(visible, run.devices)
    if not visible and evidence["hidden"] is not True:
        raise NotAssessed("TensorFlow cannot use the GPU of the machine that graded this; it costs nothing.")


def test_weights_on_gpu(evidence, run):
    """The weights of the trained models lay on the GPU."""
    require_usable_gpu(evidence, run)
    devices = evidence["devices"]
    expect(devices, "At least one model should have been trained.", received="no training that came to an end")
    elsewhere = [device for device in devices if not lies_on_gpu(device)]
    expect(
        not elsewhere,
        "The weights of all trained models should lie on the GPU.",
        received=f"{len(elsewhere)} of {len(devices)} do not",
        hint=f"{TOPIC} TensorFlow uses the GPU by itself, unless code hides it or places variables with `tf.device`.",
    )


def test_gpu_worked(evidence, run):
    """The GPU did work while the notebook ran."""
    require_usable_gpu(evidence, run)
    busy = was_busy(run.devices)
    if busy is None:
        raise NotAssessed("The work of the GPU could not be measured on this machine.")
    expect(
        busy,
        "The GPU should have been at work during training.",
        received="a utilisation of 0 %",
        hint=f"{TOPIC} look at `nvidia-smi` while `fit` runs.",
    )
