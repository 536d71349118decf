"""This student flattens a large feature map into a wide dense layer: more than three million parameters."""

EXPECTED = {"models": "partial"}
RIGHT = False

# %% [models]
def build_localizer():
    """Input (None, 64, 64, 1); outputs "class" (None, 10) probabilities and "box" (None, 4) in pixels."""
    inputs = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1))
    features = keras.layers.Rescaling(1 / 255)(inputs)
    for filters in (8, 16, 32):
        features = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(features)
        features = keras.layers.MaxPooling2D()(features)
    shapes = keras.layers.Conv2D(64, 3, padding="same", activation="relu")(features)
    shapes = keras.layers.Dense(64, activation="relu")(keras.layers.GlobalMaxPooling2D()(shapes))
    kind = keras.layers.Dense(N_CLASSES, activation="softmax", name="class")(shapes)
    wide = keras.layers.Dense(1536, activation="relu")(keras.layers.Flatten()(features))
    places = keras.layers.Dense(64, activation="relu")(wide)
    corners = keras.layers.Dense(4, activation="sigmoid")(places)
    box = keras.layers.Rescaling(float(IMAGE_SIZE), name="box")(corners)
    return keras.Model(inputs, {"class": kind, "box": box})


def build_detector():
    """Input (None, 64, 64, 1); output (None, 8, 8, 15), a grid as encode_grid writes it."""
    inputs = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1))
    features = keras.layers.Rescaling(1 / 255)(inputs)
    for filters in (12, 24, 48):
        features = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(features)
        features = keras.layers.MaxPooling2D()(features)
    features = keras.layers.Conv2D(96, 3, padding="same", activation="relu")(features)
    box_and_confidence = keras.layers.Conv2D(5, 1, activation="sigmoid")(features)
    kinds = keras.layers.Conv2D(N_CLASSES, 1, activation="softmax")(features)
    return keras.Model(inputs, keras.layers.Concatenate()([box_and_confidence, kinds]))
