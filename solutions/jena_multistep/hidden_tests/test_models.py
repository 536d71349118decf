"""build_mlp and build_recurrent: shapes, size, layers, and whether they can be written down and made again."""

import pytest

from autograder.checks import Given, expect, read_model
from reference_models.jena_oracles import HORIZON

MOST_PARAMETERS = 2_000_000
TOPIC = "Week 10, dense, convolutional and recurrent layers:"


def given(rng):
    return Given(x=rng.normal(size=(3, 432, 14)).astype("float32"))


def probe(student, given):  # noqa: C901 - one function, since only its own text travels
    import tempfile

    import keras
    import numpy as np

    def layers_of(model):
        found, seen = [], set()

        def walk(layer, inside):
            for child in layer._flatten_layers(include_self=False, recursive=False):  # noqa: SLF001
                if id(child) not in seen:
                    seen.add(id(child))
                    found.append((child, inside))
                    walk(child, [*inside, type(child).__name__])

        walk(model, [])
        return found

    def facts(layer, inside):
        return {
            "bases": [base.__name__ for base in type(layer).__mro__],
            "inside": inside,
            "fingerprint": "",
            "recurrent_dropout": float(getattr(layer, "recurrent_dropout", 0.0) or 0.0),
            "backwards": bool(getattr(layer, "go_backwards", False)),
        }

    def rebuild_error(model, layers):
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

    def describe(build):
        build()
        model = build()
        if not isinstance(model, keras.Model):
            return {"not_a_model": type(model).__name__}
        output = np.asarray(model(given.x, training=False))
        layers = layers_of(model)
        return {
            "kind": type(model).__name__,
            "output": list(output.shape),
            "single": list(np.asarray(model(given.x[:1], training=False)).shape),
            "parameters": int(model.count_params()),
            "layers": [facts(layer, inside) for layer, inside in layers],
            "fingerprint": "",
            "clipping": {},
            "rebuild_error": rebuild_error(model, layers),
        }

    return {
        "mlp": lambda: describe(student.build_mlp),
        "recurrent": lambda: describe(student.build_recurrent),
    }


def check_shape(value, name):
    model = read_model(value, f"{name}()")
    hint = f"{TOPIC} end with `Dense(12)` and `Reshape((6, 2))`, for example."
    expect(
        model.output == (3, HORIZON, 2),
        f"{name}: three windows should give an output of shape (3, 6, 2).",
        received=str(model.output),
        hint=hint,
    )
    single = tuple(value["single"])
    expect(
        single == (1, HORIZON, 2),
        f"{name}: one window should give an output of shape (1, 6, 2).",
        received=str(single),
        hint=hint,
    )


def check_size(value, name):
    model = read_model(value, f"{name}()")
    hint = (
        f"{TOPIC} flattening 432 x 14 numbers makes 6048 weights for each unit that follows; shorten the input first."
    )
    expect(
        model.parameters <= MOST_PARAMETERS,
        f"{name}: at most {MOST_PARAMETERS:,} parameters are allowed.",
        received=f"{model.parameters:,}",
        hint=hint,
    )


def check_rebuild(value, name):
    model = read_model(value, f"{name}()")
    hint = f"{TOPIC} use built-in layers and `keras.ops` rather than `Lambda`; give a class of your own `get_config`."
    expect(
        not model.rebuild_error, f"{name}: the model should be serialisable.", received=model.rebuild_error, hint=hint
    )


@pytest.mark.weight(2)
def test_mlp_shape(evidence):
    """build_mlp maps windows (n, 432, 14) to forecasts (n, 6, 2)."""
    check_shape(evidence["mlp"], "build_mlp")


@pytest.mark.weight(2)
def test_recurrent_shape(evidence):
    """build_recurrent maps windows (n, 432, 14) to forecasts (n, 6, 2)."""
    check_shape(evidence["recurrent"], "build_recurrent")


@pytest.mark.weight(2)
def test_mlp_layers(evidence):
    """build_mlp has a Dense or Conv1D layer, and no recurrent one."""
    model = read_model(evidence["mlp"], "build_mlp()")
    names = sorted({layer.bases[0] for layer in model.layers})
    expect(
        not model.recurrent,
        "build_mlp should have no recurrent layer.",
        received=[layer.bases[0] for layer in model.recurrent],
    )
    expect(
        model.layers_named("Dense", "Conv1D"),
        "build_mlp should have a Dense or a Conv1D layer.",
        received=f"the layers {names}",
    )


@pytest.mark.weight(2)
def test_recurrent_layers(evidence):
    """build_recurrent has an LSTM or a GRU layer."""
    model = read_model(evidence["recurrent"], "build_recurrent()")
    names = sorted({layer.bases[0] for layer in model.layers})
    expect(
        model.layers_named("LSTM", "GRU"),
        "build_recurrent should have an LSTM or a GRU layer.",
        received=f"the layers {names}",
        hint=f"{TOPIC} `keras.layers.LSTM` or `keras.layers.GRU`.",
    )


def test_mlp_size(evidence):
    """build_mlp has at most 2 million parameters."""
    check_size(evidence["mlp"], "build_mlp")


def test_recurrent_size(evidence):
    """build_recurrent has at most 2 million parameters."""
    check_size(evidence["recurrent"], "build_recurrent")


def test_mlp_is_serialisable(evidence):
    """The model of build_mlp can be made again from its own description."""
    check_rebuild(evidence["mlp"], "build_mlp")


def test_recurrent_is_serialisable(evidence):
    """The model of build_recurrent can be made again from its own description."""
    check_rebuild(evidence["recurrent"], "build_recurrent")
