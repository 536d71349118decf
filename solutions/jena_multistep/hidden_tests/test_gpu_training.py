"""gpu_training: on a machine with a GPU, weights lay on it and it worked; without one, this is not assessed."""

from autograder.checks import Given, NotAssessed, expect, held_memory, lies_on_gpu, require_gpu, was_busy

TOPIC = "Week 10, hardware:"


def given():
    return Given()


def probe(student, given):
    import os

    import keras

    def visible():
        if keras.backend.backend() == "jax":
            import jax

            return [str(device) for device in jax.devices() if device.platform != "cpu"]
        if keras.backend.backend() == "torch":
            import torch

            return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
        import tensorflow as tf

        return [device.name for device in tf.config.list_physical_devices("GPU")]

    return {
        "visible": visible,
        "hidden": lambda: os.environ.get("CUDA_VISIBLE_DEVICES", "unset").strip() in ("", "-1"),
        "devices": lambda: [fit["devices"] for fit in student.fits if fit["finished"]],
    }


def require_usable_gpu(evidence, run):
    visible = evidence["visible"]
    require_gpu(visible, run.devices)
    if not visible and evidence["hidden"] is not True:
        raise NotAssessed("Keras cannot use the GPU of the machine that graded this; it costs nothing.")


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
        hint=f"{TOPIC} Keras uses the GPU by itself, unless code hides it or places variables with `device(...)`.",
    )
    expect(
        held_memory(run.devices) is not False,
        "Weights that lie on the GPU take some of its memory.",
        received="none of its memory was used by the notebook while it ran",
        hint=f"{TOPIC} train in the notebook's own process, and do not change what Keras says about its weights.",
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
