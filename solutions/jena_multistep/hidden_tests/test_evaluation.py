"""forecasters and results: physical units, honest numbers, and forecasts that come from the windows they are given.

`results` may agree with the grader's own test part, or with what the notebook's own functions make of its record: a
split that is a row away is right, too, and a mistake in an earlier function has been judged at its own question.
"""

import numpy as np
import pytest

from autograder.checks import (
    Failure,
    Given,
    NotAssessed,
    as_array,
    as_frame,
    as_list,
    as_number,
    expect,
    expect_close,
    expect_finite,
    expect_shape,
    is_constant,
    looks_normalised,
    looks_swapped,
    shorten,
)
from autograder.data import read_station
from reference_models.jena_oracles import (
    ERROR_COLUMNS,
    HORIZON,
    TARGET_COLUMNS,
    TARGETS,
    forecast_errors,
    oracle_normalization,
    oracle_persistence,
    oracle_split,
    oracle_windows,
)

AGREEMENT = 0.02
ROUNDING = 0.005  # results that were rounded to two digits agree, too
FEW = 6
FAR_OFF = 6.0  # standard deviations from the truth at which the worst model cannot be in these units
PAST_STEPS = 18
MOST_WINDOWS = 30_000
TOPIC = "Week 9, MAE and RMSE:"
UNITS = "Week 9, units: normalise inside the forecaster, and take its output back with `denormalize_targets`."


def given(rng, materials):
    if materials.public is None:
        return Given(rows=[])
    parameters = materials.parameters
    record = read_station(materials.public)
    fractions = [
        float(parameters.get(name, default))
        for name, default in (("TRAIN_FRACTION", 0.7), ("VALIDATION_FRACTION", 0.15))
    ]
    train, _, test = oracle_split(record, *fractions)
    windows = oracle_windows(test, int(parameters.get("STRIDE", 36)))
    rows = rng.permutation(len(windows.x))[:FEW].tolist()
    mean, std = oracle_normalization(train)
    return Given(test=test, stride=int(parameters.get("STRIDE", 36)), rows=rows, most=MOST_WINDOWS).keep(
        windows=windows, mean=mean[list(TARGET_COLUMNS)], std=std[list(TARGET_COLUMNS)]
    )


def probe(student, given):  # noqa: C901 - one function, since only its own text travels
    import numpy as np

    def cut():
        values = given.test.to_numpy(dtype="float32")
        view = np.lib.stride_tricks.sliding_window_view(values, 438, axis=0)[:: given.stride]
        return np.ascontiguousarray(np.swapaxes(view, 1, 2)[:, :432])

    def own_windows():
        """What make_dataset makes of the notebook's own test part; nothing where that cannot be had."""
        try:
            test = list(student.split_by_time(student.load_data(student.DATA_PATH)))[2]
            parts, count = [], 0
            for x, y in student.make_dataset(test):
                parts.append((np.asarray(x), np.asarray(y)))
                count += len(parts[-1][0])
                if count > given.most:
                    return None
            own_x, own_y = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
        except Exception:
            return None
        usable = own_x.shape[1:] == (432, 14) and own_y.shape == (len(own_x), 6, 2)
        return (own_x.astype("float32"), own_y) if usable else None

    def differs(own):
        return own is not None and (own[0].shape != x.shape or not np.allclose(own[0], x, rtol=1e-4, atol=1e-3))

    def forecast(name, windows):
        return np.asarray(student.forecasters[name](windows.copy()))

    def behaviour(name):
        few = x[given.rows]
        kept = few.copy()
        again = np.asarray(student.forecasters[name](kept))
        return {
            "again": again,
            "one": np.asarray(student.forecasters[name](few[:1].copy())),
            "input_kept": bool(np.array_equal(kept, few)),
        }

    def names():
        return [str(name) for name in student.forecasters][:20]

    def results():
        """Columns of numbers as numbers, also where the table holds them as objects."""
        frame = student.results
        return frame.infer_objects() if hasattr(frame, "infer_objects") else frame

    x = cut()
    own = own_windows()
    try:
        known = names()
    except Exception:
        known = []
    entries = {
        "names": names,
        "variants": lambda: [str(name) for name in student.build_variants()],
        "results": results,
        "own_naive": lambda: np.asarray(student.naive_forecast(x.copy())),
        "own_differs": differs(own),
        "own_y": None if own is None else own[1],
    }
    for name in known:
        entries[f"forecast {name}"] = lambda name=name: forecast(name, x)
        entries[f"behaviour {name}"] = lambda name=name: behaviour(name)
        if differs(own):
            entries[f"own forecast {name}"] = lambda name=name: forecast(name, own[0])
    return entries


def names_of(evidence):
    names = as_list(
        evidence["names"], "The names in forecasters", hint="forecasters is a dictionary: a function for each name."
    )
    expect(
        names,
        "forecasters should have the keys naive, mlp, recurrent and the names of the variants.",
        received="no entry",
    )
    return [str(name) for name in names]


def wanted_names(evidence):
    variants = [] if evidence.get_raised("variants") else as_list(evidence["variants"], "The names of the variants")
    return ["naive", "mlp", "recurrent", *(str(name) for name in variants)]


def forecast_of(evidence, name, given):
    """Forecasts of the grader's test windows by one forecaster, `(n, 6, 2)` and finite."""
    n = len(given.windows.x)
    names = names_of(evidence)
    expect(name in names, f"forecasters should have an entry for '{name}'.", received=names)
    what = f"forecasters['{name}'] of {n} windows"
    forecast = expect_shape(evidence[f"forecast {name}"], (n, HORIZON, 2), what)
    return expect_finite(forecast, what).astype(np.float64)


def usable_forecasts(evidence, given):
    found = {}
    for name in names_of(evidence):
        try:
            found[name] = forecast_of(evidence, name, given)
        except Failure:
            continue
    return found


def require_record(given):
    if not given.rows:
        raise NotAssessed("There is no test part to forecast here.")


def is_own_naive(evidence, forecast):
    """Whether the naive forecaster is the notebook's own naive_forecast, whose mistakes are judged at that question."""
    if evidence.get_raised("own_naive") is not None:
        return False
    own = as_array(evidence["own_naive"], "naive_forecast(x)")
    return own.shape == forecast.shape and np.allclose(own, forecast, rtol=1e-4, atol=1e-3)


def test_names(evidence):
    """forecasters has naive, mlp, recurrent and every variant."""
    names = names_of(evidence)
    missing = [name for name in wanted_names(evidence) if name not in names]
    expect(not missing, f"forecasters should have an entry for {', '.join(missing)}.", received=names)


@pytest.mark.weight(2)
def test_shapes(given, evidence):
    """Each forecaster takes any number of raw windows (n, 432, 14) and gives finite forecasts (n, 6, 2)."""
    require_record(given)
    for name in names_of(evidence):
        forecast_of(evidence, name, given)
        value = evidence[f"behaviour {name}"]
        expect_shape(value["one"], (1, HORIZON, 2), f"forecasters['{name}'] of one window")


def test_naive_is_persistence(given, evidence):
    """The forecaster naive keeps the last value."""
    require_record(given)
    forecast = forecast_of(evidence, "naive", given)
    if is_own_naive(evidence, forecast):
        return  # a wrong naive_forecast has lost its points at its own question
    expect_close(
        forecast, oracle_persistence(given.windows.x), what="forecasters['naive']", rtol=1e-4, atol=1e-3, hint=UNITS
    )


@pytest.mark.weight(2)
def test_physical_units(given, evidence):
    """Forecasts are in physical units, degrees first, then mbar."""
    require_record(given)
    truth = given.windows.y.astype(np.float64)
    for name in names_of(evidence):
        forecast = forecast_of(evidence, name, given)
        if name == "naive" and is_own_naive(evidence, forecast):
            continue
        expect(
            not looks_swapped(forecast, truth),
            f"forecasters['{name}'] should give temperature first, then pressure.",
            received="pressure first",
            hint="TARGETS are temperature, then pressure.",
        )
        for i, target in enumerate(TARGETS):
            expect_physical(name, target, forecast[..., i], truth[..., i], given.mean[i], given.std[i])


def expect_physical(name, target, forecast, truth, mean, std):
    normalised = looks_normalised(forecast, truth, mean, std)
    far = np.median(np.abs(forecast - truth)) > FAR_OFF * max(float(std), 1.0)
    expect(
        not normalised and not far,
        f"forecasters['{name}'] should give {target} in physical units, around {np.median(truth):.4g}.",
        received=f"values around {np.median(forecast):.4g}{', which look like normalised units' if normalised else ''}",
        hint=UNITS,
    )


@pytest.mark.weight(2)
def test_forecasts_come_from_the_windows(given, evidence):
    """A forecast depends on its own window: not constant, the same when asked again, not bound to its place."""
    require_record(given)
    spread = np.maximum(given.windows.y.std(axis=(0, 1), dtype=np.float64), 0.1)
    for name in names_of(evidence):
        forecast = forecast_of(evidence, name, given)
        expect(
            len(forecast) < 3 or not is_constant(forecast, spread),
            f"forecasters['{name}'] should look at the windows that it is given.",
            received="the same forecast for all windows",
            hint="A model that has learned nothing, or numbers in place of a forecast?",
        )
        again = evidence[f"behaviour {name}"]["again"]
        few = expect_shape(again, (len(given.rows), HORIZON, 2), f"forecasters['{name}'] of {len(given.rows)} windows")
        off = np.abs(few.astype(np.float64) - forecast[given.rows]) > 0.01 * spread + 1e-3
        expect(
            not off.any(),
            f"forecasters['{name}'] should give a window the same forecast each time, in whatever order.",
            received=f"other forecasts for {int(off.any(axis=(1, 2)).sum())} of {len(few)} windows in another order",
            hint="Dropout belongs to training (use `model.predict`); forecasts are computed, not looked up.",
        )


def test_inputs_are_left_alone(given, evidence):
    """The windows that a forecaster is given are not changed."""
    require_record(given)
    for name in names_of(evidence):
        expect(
            evidence[f"behaviour {name}"]["input_kept"] is True,
            f"forecasters['{name}'] should leave its input unchanged.",
            received="other values in it afterwards",
            hint="`x = (x - mean) / std` makes a new array; `x -= mean` does not.",
        )


def results_of(evidence):
    frame = as_frame(evidence["results"], "results")
    missing = [name for name in ERROR_COLUMNS if name not in frame.columns]
    hint = f"{TOPIC} one row for each forecaster, one column for each error and target."
    expect(
        not missing,
        f"results should have the columns {', '.join(ERROR_COLUMNS)}.",
        received=f"without {missing}",
        hint=hint,
    )
    expect(frame.index.is_unique, "results should have one row for each name.", received="a name twice")
    return frame.set_axis(frame.index.astype(str))


def test_results_are_complete(evidence):
    """results has a row for each forecaster, and mae_T, mae_p, rmse_T, rmse_p."""
    frame = results_of(evidence)
    missing = [name for name in wanted_names(evidence) if name not in frame.index]
    expect(
        not missing,
        f"results should have a row for {', '.join(missing)}.",
        received=[str(name) for name in frame.index],
    )
    for name in wanted_names(evidence):
        for column in ERROR_COLUMNS:
            as_number(frame.loc[name, column], f"results.loc['{name}', '{column}']")


def errors_by_test_part(given, evidence):
    """Errors of each forecaster that works, on each test part that counts: `[{name: {column: error}}]`."""
    parts = [
        {
            name: forecast_errors(given.windows.y, forecast)
            for name, forecast in usable_forecasts(evidence, given).items()
        }
    ]
    own_y = evidence["own_y"]
    if own_y is None:
        return parts
    truth = as_array(own_y, "y")
    own = {}
    for name in names_of(evidence):
        key = f"own forecast {name}" if evidence["own_differs"] is True else f"forecast {name}"
        if key in evidence and evidence.get_raised(key) is None:
            forecast = as_array(evidence[key], key)
            if forecast.shape == truth.shape and np.isfinite(forecast).all():
                own[name] = forecast_errors(truth, forecast)
    return [*parts, own]


def disagreements(frame, errors):
    """The entries of results that are further than 2 % from what they should be."""
    wrong = []
    for name in sorted(set(errors) & set(frame.index)):
        for column in ERROR_COLUMNS:
            stated = as_number(frame.loc[name, column], f"results.loc['{name}', '{column}']")
            if abs(stated - errors[name][column]) > AGREEMENT * abs(errors[name][column]) + ROUNDING:
                wrong.append((name, column, stated, errors[name][column]))
    return wrong


@pytest.mark.weight(3)
def test_results_agree(given, evidence):
    """The numbers in results are the errors of the forecasters on the test part, in degrees and mbar."""
    require_record(given)
    frame = results_of(evidence)
    parts = errors_by_test_part(given, evidence)
    expect(
        any(set(errors) & set(frame.index) for errors in parts),
        "results should hold errors of the forecasters.",
        received="no row that belongs to a forecaster that works",
    )
    wrong = min((disagreements(frame, errors) for errors in parts), key=len)
    if not wrong:
        return
    name, column, stated, error = wrong[0]
    scale = given.std[0] if column.endswith("_T") else given.std[1]
    normalised = abs(stated * scale - error) <= 0.05 * error
    hint = f"{TOPIC} over all windows of `make_dataset(test)` and their six steps together, `test` in physical units."
    raise Failure(
        f"results.loc['{name}', '{column}'] should be {error:.3f}, as the forecaster gives it on the test part. "
        f"Received: {stated:.3f}{', which is in normalised units' if normalised else ''}; {len(wrong)} entries are off",
        UNITS if normalised else hint,
    )


@pytest.mark.weight(0)
def test_forecasts_can_be_drawn(given, evidence, picture):
    """The forecasts of a window of the test part can be drawn."""
    require_record(given)
    forecasts = usable_forecasts(evidence, given)
    expect(forecasts, "At least one forecaster should work.", received="none")
    change = np.abs(np.diff(given.windows.y.astype(np.float64), axis=1)).sum(axis=1) / given.std
    chosen = int(np.argsort(change.sum(axis=1))[len(change) // 2])  # neither the calmest nor the stormiest
    picture(
        "forecast",
        {"title": "One window of your test part", "panels": [panel(given, forecasts, chosen, i) for i in (0, 1)]},
    )


def panel(given, forecasts, window, i):
    x, y = given.windows.x[window], given.windows.y[window]
    persistence = oracle_persistence(given.windows.x[window : window + 1])[0]
    column = TARGET_COLUMNS[i]
    return {
        "target": TARGETS[i].split(" ")[0],
        "unit": TARGETS[i].split("(")[1].rstrip(")"),
        "minutes": [10 * step for step in range(1 - PAST_STEPS, 1)],
        "past": x[-PAST_STEPS:, column].astype(float).tolist(),
        "future_minutes": [10 * step for step in range(1, HORIZON + 1)],
        "truth": y[:, i].astype(float).tolist(),
        "persistence": persistence[:, i].tolist(),
        "forecasts": {
            shorten(name, 40).strip("'"): values[window, :, i].tolist()
            for name, values in sorted(forecasts.items())
            if name != "naive"
        },
    }
