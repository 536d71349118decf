"""What a Keras model is, in plain data: for probes that ask about students' models.

The judge reads this without Keras (`autograder.checks.models`).
"""

import hashlib
import json
import math
import sys
import tempfile

import numpy as np

MADE_UP = ("name", "shared_object_id", "build_config", "compile_config")  # differ between equal models


def describe(model, x):
    """Layers, size, output for the inputs `x`, clipping, and whether the model can be made again.

    Of a model with several outputs, `outputs` has them by name, or by place where they are a list.
    """
    keras = sys.modules["keras"]
    if not isinstance(model, keras.Model):
        return {"not_a_model": type(model).__name__}
    output, outputs = _outputs(model(x, training=False))
    layers = _layers_of(model)
    operations = _operations(model, layers)
    names = [part.name for part in [*operations, *(layer for layer, _ in layers), model]]
    parts = layers + [(part, []) for part in operations if not isinstance(part, keras.layers.Layer)]
    return {
        "kind": type(model).__name__,
        "output": list(output.shape),
        "values": output,
        "outputs": outputs,
        "parameters": sum(math.prod(weight.shape) for weight in model.weights),
        "layers": [_facts(part, inside) for part, inside in parts],
        "fingerprint": _digest(model, names),
        "clipping": _clipping(model),
        "rebuild_error": _rebuild_error(model, layers, keras),
    }


def _outputs(found):
    """The output, and by name each of several; the output of a model with several of them is empty."""
    if not isinstance(found, (dict, list, tuple)):
        return np.asarray(found), {}
    named = found if isinstance(found, dict) else dict(enumerate(found))
    return np.zeros(0, np.float32), {str(name): np.asarray(each) for name, each in named.items()}


def _layers_of(model):
    """All layers, cells and nested models, each with the classes that it lies inside of."""
    found, seen = [], set()

    def walk(layer, inside):
        for child in layer._flatten_layers(include_self=False, recursive=False):
            if id(child) not in seen:
                seen.add(id(child))
                found.append((child, inside))
                walk(child, [*inside, type(child).__name__])

    walk(model, [])
    return found


def _operations(model, layers):
    """What a functional model computes beside its layers: sums, slices, ..."""
    return [each for part in [model, *(layer for layer, _ in layers)] for each in getattr(part, "operations", ())]


def _facts(layer, inside):
    return {
        "bases": [base.__name__ for base in type(layer).__mro__],
        "inside": inside,
        "fingerprint": _digest(layer, [layer.name]),
        "recurrent_dropout": float(getattr(layer, "recurrent_dropout", 0.0) or 0.0),
        "backwards": bool(getattr(layer, "go_backwards", False)),
    }


def _digest(part, names):
    """Of what a layer or a model is, with names of layers replaced by their places."""
    try:
        text = json.dumps([type(part).__name__, _plain(part.get_config())], sort_keys=True)
    except Exception:  # a class of the student's without a usable get_config is told by its name
        text = type(part).__name__
    for place, name in enumerate(names):
        text = text.replace(f'"{name}"', f'"#{place}"')
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(node):
    if isinstance(node, dict):
        return {str(key): _plain(item) for key, item in node.items() if key not in MADE_UP}
    if isinstance(node, (list, tuple)):
        return [_plain(item) for item in node]
    return node if node is None or isinstance(node, (bool, int, float, str)) else type(node).__name__


def _clipping(model):
    optimizer = getattr(model, "optimizer", None)
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    limits = {name: getattr(optimizer, name, None) for name in ("clipnorm", "clipvalue", "global_clipnorm")}
    return {name: float(limit) for name, limit in limits.items() if limit}


def _rebuild_error(model, layers, keras):
    """Empty where the model can be made again from its own description; else what happened."""
    classes = {type(part).__name__: type(part) for part in [model, *(layer for layer, _ in layers)]}
    try:
        model.get_compile_config = lambda: None  # a loss of the student's own is no part of the model
        keras.models.model_from_json(model.to_json(), custom_objects=classes)
    except Exception as error:
        story = f"{type(error).__name__}: {error}"[:300]
    else:
        return ""
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/model.keras"
            model.save(path)
            keras.models.load_model(path, custom_objects=classes, compile=False, safe_mode=True)
    except Exception:
        own = [base for base in type(model).__mro__ if not base.__module__.startswith("keras")]
        return "" if any("get_config" in vars(base) for base in own) else story
    else:
        return ""
