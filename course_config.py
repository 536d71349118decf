"""The course: dates, points, data, profiles and limits. The only file that a course edits.

A mistake in it is reported as one sentence that names the field: try `autograder doctor`.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from autograder.config import Assignment, Course, JenaData, Limits, Profile, Question, ReviewsData, ScenesData

# By hand: a question is two lines.
# fmt: off
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
        Question(id="load_data", points=0.05, defines=("load_data",),
                 title="Load the data", topic="Week 9: time series data"),
        Question(id="split_by_time", points=0.10, defines=("split_by_time",),
                 title="Split by time", topic="Week 9: evaluating forecasts"),
        Question(id="normalization", points=0.10, defines=("fit_normalization", "normalize", "denormalize_targets"),
                 title="Normalise without leaking", topic="Week 9: data leakage"),
        Question(id="windows", points=0.15, defines=("make_dataset",),
                 title="Cut windows", topic="Week 9: windows and horizons"),
        Question(id="naive_baseline", points=0.05, defines=("naive_forecast",),
                 title="The naive forecast", topic="Week 9: persistence"),
        Question(id="models", points=0.15, defines=("build_mlp", "build_recurrent"),
                 title="Two models", topic="Week 10: dense, convolutional and recurrent models"),
        Question(id="variants", points=0.40, defines=("build_variants",),
                 title="Improved recurrent models", topic="Week 10: improving recurrent models"),
        Question(id="training", points=0.10, defines=("train", "histories"),
                 title="Train", topic="Week 10: training and validation"),
        Question(id="evaluation", points=0.10, defines=("forecasters", "results"),
                 title="Evaluate", topic="Week 9: MAE and RMSE"),
        Question(id="beat_baseline", points=0.10,
                 title="Beat the naive forecast", topic="Week 9: skill against persistence"),
        Question(id="gpu_training", points=0.05,
                 title="Train on the GPU", topic="Week 10: hardware"),
        Question(id="figures", points=0.05, defines=("figure_curves", "figure_forecasts"),
                 title="Show it", topic="Week 9: showing forecasts"),
        Question(id="discussion", points=0.60, manual=True,
                 title="Discuss", topic="Week 10: comparing architectures"),
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

rnn_layers = Assignment(
    name="rnn_layers",
    title="Recurrent layers from the inside",
    due=datetime(2025, 12, 15, 23, 59, tzinfo=BERLIN),
    questions=(
        Question(id="rnn_step", points=0.10, defines=("rnn_step",),
                 title="One step", topic="Recurrent networks: vanilla RNN"),
        Question(id="rnn_forward", points=0.10, defines=("rnn_forward",),
                 title="A whole sequence", topic="Recurrent networks: unrolling in time"),
        Question(id="sequence_tasks", points=0.15, defines=("many_to_one", "many_to_many", "one_to_many"),
                 title="Three ways of asking", topic="Recurrent networks: types of sequence tasks"),
        Question(id="lstm_step", points=0.15, defines=("lstm_step",),
                 title="One step of an LSTM", topic="Recurrent networks: LSTM"),
        Question(id="gru_step", points=0.15, defines=("gru_step",),
                 title="One step of a GRU", topic="Recurrent networks: GRU"),
        Question(id="count_parameters", points=0.10, defines=("count_parameters",),
                 title="How many weights?", topic="Recurrent networks: parameters"),
        Question(id="bptt", points=0.15, defines=("bptt_gradient_norms",),
                 title="Vanishing and exploding gradients", topic="Training: backpropagation through time"),
        Question(id="clipping", points=0.10, defines=("clip_by_global_norm",),
                 title="Gradient clipping", topic="Training: gradient clipping"),
        Question(id="keras_models", points=0.35, defines=("build_model",),
                 title="Nine models", topic="Improving recurrent models"),
        Question(id="memory_task", points=0.20, defines=("recall", "memory_results"),
                 title="Remember the first symbol", topic="Training: long-term dependencies"),
        Question(id="gpu_training", points=0.05,
                 title="Train on the GPU", topic="Hardware"),
        Question(id="concepts", points=0.20, defines=("answers",),
                 title="Concepts", topic="Recurrent networks and computer vision tasks"),
        Question(id="discussion", points=0.20, manual=True,
                 title="Discuss", topic="Choosing an architecture"),
    ),
    profiles={
        "smoke": Profile(
            parameters={"EPOCHS": 15, "N_SEQUENCES": 1500, "SEQUENCE_LENGTH": 10},
            limits=Limits(cell_seconds=120, run_seconds=300, probe_seconds=60),
        ),
        "cpu": Profile(
            parameters={"EPOCHS": 20, "N_SEQUENCES": 3000, "SEQUENCE_LENGTH": 12},
            limits=Limits(cell_seconds=300, run_seconds=900, probe_seconds=90),
        ),
        "gpu": Profile(
            parameters={"EPOCHS": 20, "N_SEQUENCES": 10_000, "SEQUENCE_LENGTH": 12},
            limits=Limits(cell_seconds=1800, run_seconds=5400, probe_seconds=120, memory_mb=16_384),
            threads=4,
            gpu=True,
        ),
    },
)

text_vectorization = Assignment(
    name="text_vectorization",
    title="From raw text to tensors",
    due=datetime(2025, 12, 19, 23, 59, tzinfo=BERLIN),
    # Whoever knows the seed can generate the withheld reviews: choose your own and keep it with the solutions.
    data=ReviewsData(withheld_fraction=0.25, seed=2011),
    questions=(
        Question(id="standardize", points=0.10, defines=("standardize",),
                 title="Standardise", topic="Text: the preprocessing pipeline"),
        Question(id="tokenize", points=0.10, defines=("tokenize", "ngrams"),
                 title="Tokenise", topic="Text: words, characters, n-grams"),
        Question(id="subwords", points=0.20, defines=("learn_bpe", "apply_bpe"),
                 title="Subwords", topic="Text: byte-pair encoding"),
        Question(id="vocabulary", points=0.15, defines=("build_vocabulary",),
                 title="The vocabulary", topic="Text: indexing conventions"),
        Question(id="encode", points=0.15, defines=("encode",),
                 title="Encode", topic="Text: integer sequences, padding and truncation"),
        Question(id="bag_of_words", points=0.25, defines=("multi_hot", "count_vectors", "tf_idf"),
                 title="Bags of words", topic="Text: multi-hot, counts, TF-IDF"),
        Question(id="keras_vectorizer", points=0.15, defines=("make_vectorizer",),
                 title="The same with Keras", topic="Text: TextVectorization and adapt"),
        Question(id="split_reviews", points=0.10, defines=("split_reviews",),
                 title="Split the reviews", topic="Text: validation and leakage"),
        Question(id="models", points=0.20, defines=("build_bow_model", "build_sequence_model"),
                 title="Two models", topic="Text: bags of words, sequences, embeddings and masking"),
        Question(id="classify", points=0.35, defines=("classifiers", "results"),
                 title="Classify reviews", topic="Text: the IMDB example"),
        Question(id="gpu_training", points=0.05,
                 title="Train on the GPU", topic="Text: hardware"),
        Question(id="discussion", points=0.20, manual=True,
                 title="Discuss", topic="Text: which representation for which task"),
    ),
    profiles={
        "smoke": Profile(
            parameters={"EPOCHS": 8, "MAX_TOKENS": 5000, "SEQUENCE_LENGTH": 128, "N_REVIEWS": 3000},
            data_rows=4_000,
            limits=Limits(cell_seconds=180, run_seconds=480, probe_seconds=60),
        ),
        "cpu": Profile(
            parameters={"EPOCHS": 8, "MAX_TOKENS": 10_000, "SEQUENCE_LENGTH": 200, "N_REVIEWS": 6000},
            data_rows=8_000,
            limits=Limits(cell_seconds=300, run_seconds=900, probe_seconds=60),
        ),
        "gpu": Profile(
            parameters={"EPOCHS": 10, "MAX_TOKENS": 20_000, "SEQUENCE_LENGTH": 400, "N_REVIEWS": 25_000},
            data_rows=None,
            limits=Limits(cell_seconds=1800, run_seconds=5400, probe_seconds=120, memory_mb=16_384),
            threads=4,
            gpu=True,
        ),
    },
)

cnn_detection = Assignment(
    name="cnn_detection",
    title="From convolution to object detection",
    due=datetime(2025, 12, 22, 23, 59, tzinfo=BERLIN),
    consultation_by=date(2026, 1, 9),
    # Whoever knows the seed can draw the withheld scenes: choose your own and keep it with the solutions.
    data=ScenesData(withheld_fraction=0.25, seed=1998),
    questions=(
        Question(id="convolution", points=0.20, defines=("conv2d",),
                 title="Convolution by hand", topic="Lecture on convolutional networks: convolution"),
        Question(id="pooling", points=0.10, defines=("max_pool2d",),
                 title="Pooling", topic="Lecture on convolutional networks: pooling"),
        Question(id="layer_arithmetic", points=0.10, defines=("conv_output_size", "conv_parameters"),
                 title="The arithmetic of layers", topic="Lecture on convolutional networks: architecture of a CNN"),
        Question(id="iou", points=0.15, defines=("iou",),
                 title="Intersection over union", topic="Lecture on object detection: measuring overlap"),
        Question(id="nms", points=0.15, defines=("non_max_suppression",),
                 title="Non-maximum suppression", topic="Lecture on object detection: non-maximum suppression"),
        Question(id="grid_encoding", points=0.25, defines=("encode_grid", "decode_grid"),
                 title="A scene as a grid", topic="Lecture on object detection: YOLO's grid"),
        Question(id="models", points=0.25, defines=("build_localizer", "build_detector"),
                 title="Two networks", topic="Lecture on object detection: two heads, one stage"),
        Question(id="localization", points=0.25, defines=("localize",),
                 title="Find one digit", topic="Lecture on object detection: single-object detection"),
        Question(id="detection", points=0.30, defines=("detect", "results"),
                 title="Find them all", topic="Lecture on object detection: mean average precision"),
        Question(id="gpu_training", points=0.05,
                 title="Train on the GPU", topic="Lecture on hardware"),
        Question(id="figure", points=0.05, defines=("figure_detections",),
                 title="Show it", topic="Lecture on object detection: looking at detections"),
        Question(id="discussion", points=0.15, manual=True,
                 title="Discuss", topic="Lecture on object detection: from sliding windows to one stage"),
    ),
    profiles={
        # A student's local validation and the project's own tests: 30 s on two cores once TensorFlow is loaded.
        "smoke": Profile(
            parameters={"EPOCHS": 8, "N_IMAGES": 1900},
            data_rows=2_800,
            limits=Limits(cell_seconds=120, run_seconds=300, probe_seconds=60),
        ),
        # Grading without a GPU: 120 s on two cores.
        "cpu": Profile(
            parameters={"EPOCHS": 12, "N_IMAGES": 3600},
            data_rows=5_200,
            limits=Limits(cell_seconds=400, run_seconds=900, probe_seconds=90),
        ),
        # A GPU runner with more scenes than a laptop has patience for.
        "gpu": Profile(
            parameters={"EPOCHS": 24, "N_IMAGES": 11_500},
            data_rows=16_000,
            limits=Limits(cell_seconds=1800, run_seconds=5400, probe_seconds=120, memory_mb=16_384),
            threads=4,
            gpu=True,
        ),
    },
)

course = Course(
    course_id="deep-learning",
    title="Deep Learning: sequences and vision",
    assignments=(jena_multistep, rnn_layers, text_vectorization, cnn_detection),
    default_profile="cpu",
    sandbox="warm",
    timezone="Europe/Berlin",
)
