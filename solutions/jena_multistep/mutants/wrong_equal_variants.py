"""This student's two variants are the same model under two names; both are stacked and have layer normalisation."""

EXPECTED = {"variants": "partial"}
RIGHT = False

# %% [variants]
def build_variants():
    """At least two improved recurrent models by name, each (None, 432, 14) -> (None, 6, 2), normalised units."""

    def forecast_change(name, encode):
        """Encode twelve hours, in means of half an hour, seen from now; forecast how far the targets move from now."""
        inputs = keras.Input((INPUT_LENGTH, len(FEATURES)))
        now = inputs[:, -1:, :]
        recent = keras.layers.AveragePooling1D(3)(inputs[:, -72:, :] - now)
        recent = keras.layers.Rescaling(5.0)(recent)
        change = keras.layers.Dense(HORIZON * len(TARGETS), kernel_initializer="zeros")(encode(recent))
        change = keras.layers.Reshape((HORIZON, len(TARGETS)))(keras.layers.Rescaling(0.1)(change))
        targets_now = keras.ops.take(now, [FEATURES.index(target) for target in TARGETS], axis=-1)
        return keras.Model(inputs, keras.layers.Add()([targets_now, change]), name=name)

    def stacked(sequence):
        sequence = keras.layers.GRU(32, return_sequences=True)(sequence)
        return keras.layers.GRU(32)(keras.layers.LayerNormalization()(sequence))

    variants = {
        "stacked": forecast_change("stacked", stacked),
        "normalised": forecast_change("normalised", stacked),
    }
    return variants
