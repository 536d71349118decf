"""The course: dates, points, data, profiles and limits. The only file that a course edits.

A mistake in it is reported as one sentence that names the field: try `autograder doctor`.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from autograder.config import Assignment, Course, JenaData, Limits, Profile, Question

BERLIN = ZoneInfo("Europe/Berlin")

jena_multistep = Assignment(
    name="jena_multistep",
    title="Multistep forecasting on the Jena Climate data",
    homework=7,
    due=datetime(2025, 12, 8, 23, 59, tzinfo=BERLIN),
    consultation_by=date(2025, 12, 12),
    # Whoever knows the seed can generate the withheld weather: choose your own and keep it with the solutions.
    data=JenaData(withheld_fraction=0.25, seed=2009),
    questions=(
        Question(
            id="load_data",
            points=0.05,
            title="Load the data",
            topic="Week 9: time series data",
            defines=("load_data",),
        ),
        Question(
            id="split_by_time",
            points=0.10,
            title="Split by time",
            topic="Week 9: evaluating forecasts",
            defines=("split_by_time",),
        ),
        Question(
            id="normalization",
            points=0.10,
            title="Normalise without leaking",
            topic="Week 9: data leakage",
            defines=("fit_normalization", "normalize", "denormalize_targets"),
        ),
        Question(
            id="windows",
            points=0.15,
            title="Cut windows",
            topic="Week 9: windows and horizons",
            defines=("make_dataset",),
        ),
        Question(
            id="naive_baseline",
            points=0.05,
            title="The naive forecast",
            topic="Week 9: persistence",
            defines=("naive_forecast",),
        ),
        Question(
            id="models",
            points=0.15,
            title="Two models",
            topic="Week 10: dense, convolutional and recurrent models",
            defines=("build_mlp", "build_recurrent"),
        ),
        Question(
            id="variants",
            points=0.40,
            title="Improved recurrent models",
            topic="Week 10: improving recurrent models",
            defines=("build_variants",),
        ),
        Question(
            id="training",
            points=0.10,
            title="Train",
            topic="Week 10: training and validation",
            defines=("train", "histories"),
        ),
        Question(
            id="evaluation",
            points=0.10,
            title="Evaluate",
            topic="Week 9: MAE and RMSE",
            defines=("forecasters", "results"),
        ),
        Question(
            id="beat_baseline",
            points=0.10,
            title="Beat the naive forecast",
            topic="Week 9: skill against persistence",
        ),
        Question(
            id="gpu_training",
            points=0.05,
            title="Train on the GPU",
            topic="Week 10: hardware",
        ),
        Question(
            id="figures",
            points=0.05,
            title="Show it",
            topic="Week 9: showing forecasts",
            defines=("figure_curves", "figure_forecasts"),
        ),
        Question(
            id="discussion",
            points=0.60,
            title="Discuss",
            topic="Week 10: comparing architectures",
            manual=True,
        ),
    ),
    # Limits stop what never ends; they are far above the budgets, so that a busy machine takes no marks.
    profiles={
        # A student's local validation and the project's own tests: 30 s on two cores once TensorFlow is loaded.
        "smoke": Profile(
            parameters={"STRIDE": 12, "BATCH_SIZE": 64, "EPOCHS": 6},
            data_rows=14_000,
            limits=Limits(cell_seconds=90, run_seconds=300, probe_seconds=30),
        ),
        # Grading without a GPU: 120 s on two cores.
        "cpu": Profile(
            parameters={"STRIDE": 16, "BATCH_SIZE": 64, "EPOCHS": 8},
            data_rows=52_704,
            limits=Limits(cell_seconds=300, run_seconds=900, probe_seconds=60),
        ),
        # A GPU runner with the whole record of the station.
        "gpu": Profile(
            parameters={"STRIDE": 6, "BATCH_SIZE": 256, "EPOCHS": 20},
            data_rows=None,
            limits=Limits(cell_seconds=1800, run_seconds=5400, probe_seconds=120, memory_mb=16_384),
            threads=4,
            gpu=True,
        ),
    },
)

course = Course(
    course_id="deep-learning",
    title="Deep Learning: sequences and vision",
    assignments=(jena_multistep,),
    default_profile="cpu",
    sandbox="warm",
    timezone="Europe/Berlin",
)
