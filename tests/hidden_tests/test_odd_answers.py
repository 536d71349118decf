"""Whatever a student's names hold, a hidden test passes, fails with a message, or is not assessed: it never goes wrong itself.

Takes about 40 s, most of it the import of TensorFlow.
"""

import pytest

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own, at import

VALUES = (
    "None", "3", "float('nan')", "10 ** 400", "'text'", "b'bytes'", "[]", "[1, 2]", "[[1], [2, 3]]", "{}", "{'a': 1}", "{1: None}", "object()",
    "np.zeros(3)", "np.zeros((0, 432, 14))", "np.full((2, 6, 2), np.nan)", "np.array(['a'])", "np.array([object()])", "1j", "range(3)",
    "pd.DataFrame()", "pd.DataFrame({'a': ['x']})", "pd.Series(['a'])", "(np.zeros(3), 'b', None)", "(pd.DataFrame(), pd.DataFrame(), pd.DataFrame())",
    "(i for i in range(3))", "{'mlp': None, 'recurrent': {}, 'naive': 3}", "{'mlp': {'loss': 'a'}, 'recurrent': {'loss': [[1], [2, 3]]}}",
    "pd.DataFrame({'mae_T': ['a'], 'mae_p': [1j], 'rmse_T': [None], 'rmse_p': [1.0]}, index=['mlp'])",
    "tf.constant([1.0])", "tf.ragged.constant([[1.0], [2.0, 3.0]])", "tf.data.Dataset.from_tensor_slices([1.0, 2.0])",
    "tf.data.Dataset.from_tensor_slices((np.zeros((3, 2)), np.zeros((3, 5)), np.zeros(3))).batch(2)", "keras.Sequential()", "keras.layers.Dense(3)", "Figure()",
    "Figure().add_subplot()", "print", "type", "np", "1 / 0",
)  # fmt: skip
FUNCTIONS = ("load_data", "split_by_time", "fit_normalization", "normalize", "denormalize_targets", "make_dataset", "naive_forecast",
             "build_mlp", "build_recurrent", "build_variants", "train")  # fmt: skip
OBJECTS = ("histories", "forecasters", "results", "figure_curves", "figure_forecasts")
QUESTIONS = ("load_data", "split_by_time", "normalization", "windows", "naive_baseline", "models", "variants", "training",
             "evaluation", "beat_baseline", "figures")  # fmt: skip


def student(value):
    """All functions return this value, all objects are this value, all forecasters return it."""
    functions = "\n".join(f"def {name}(*arguments, **options):\n    return {value}" for name in FUNCTIONS)
    objects = "\n".join(f"try:\n    {name} = {value}\nexcept Exception:\n    pass" for name in OBJECTS)
    return f"{functions}\n{objects}\n"


@pytest.mark.parametrize("question", QUESTIONS)
def test_odd_values(judge, question):
    """`judge` lets every exception through that is neither a Failure nor a NotAssessed."""
    for value in VALUES:
        assert judge(question, student(value), fits=[]), value


@pytest.mark.parametrize("question", ["evaluation", "beat_baseline"])
def test_odd_forecasts(judge, basics, question):
    for value in VALUES:
        forecasters = f"def odd(x):\n    return {value}\nforecasters = {{'mlp': odd, 'recurrent': odd, 'naive': odd}}\n"
        found = judge(question, basics, forecasters + "results = pd.DataFrame()\n")
        assert len(found) >= 3, value


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize(
    "ending", ["raise SystemExit", "raise MemoryError", "raise NotImplementedError()", "raise RecursionError"]
)
def test_odd_endings(judge, question, ending):
    functions = "\n".join(f"def {name}(*arguments, **options):\n    {ending}" for name in FUNCTIONS)
    assert judge(question, functions, fits=[])
