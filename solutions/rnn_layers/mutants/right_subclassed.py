"""This student's models are one subclass of keras.Model with a list of layers; recall is an object that can be called, and
memory_results has entries for more kinds than asked for."""

EXPECTED = {}
RIGHT = True

# %% [keras_models]
class SequenceModel(keras.Model):
    """Recurrent layers one after the other, and a Dense layer that gives logits."""

    def __init__(self, recurrent, n_outputs, **options):
        super().__init__(**options)
        self.recurrent = recurrent
        self.head = keras.layers.Dense(n_outputs)

    def call(self, x, training=None):
        for layer in self.recurrent:
            x = layer(x, training=training) if "training" in layer.call.__code__.co_varnames else layer(x)
        return self.head(x)


def build_model(kind, n_features=4, units=16, n_outputs=4):
    if kind in ("simple_rnn", "irnn"):
        cell = keras.layers.SimpleRNNCell(units)
        if kind == "irnn":
            cell = keras.layers.SimpleRNNCell(units, activation=keras.activations.relu, recurrent_initializer="identity", use_bias=True)
        recurrent = [keras.layers.RNN(cell)]
    elif kind in ("lstm", "clipped"):
        recurrent = [keras.layers.RNN(keras.layers.LSTMCell(units))]
    elif kind == "gru":
        recurrent = [keras.layers.GRU(units, reset_after=False)]
    elif kind == "stacked":
        recurrent = [keras.layers.RNN([keras.layers.GRUCell(units), keras.layers.GRUCell(units)])]
    elif kind == "bidirectional":
        recurrent = [keras.layers.Bidirectional(keras.layers.LSTM(units), merge_mode="sum")]
    elif kind == "recurrent_dropout":
        recurrent = [keras.layers.LSTM(units, dropout=0.1, recurrent_dropout=0.3)]
    elif kind == "layer_norm":
        recurrent = [keras.layers.LSTM(units, return_sequences=True), keras.layers.LayerNormalization(), keras.layers.GRU(units)]
    else:
        raise ValueError(f"There is no kind {kind!r}.")
    model = SequenceModel(recurrent, n_outputs)
    if kind == "clipped":
        model.compile(optimizer=keras.optimizers.RMSprop(1e-3, global_clipnorm=0.5), loss="mse")
    model(np.zeros((1, 2, n_features), "float32"))
    return model

# %% [memory_task]
class Recall:
    def __init__(self, model):
        self.model = model

    def __call__(self, x):
        return [list(map(float, row)) for row in self.model.predict(np.array(x), batch_size=256, verbose=0)]


memory_results = {"chance": 0.25}
for name in ("simple_rnn", "lstm"):
    network = build_model(name)
    x, y = make_memory_task(N_SEQUENCES, SEQUENCE_LENGTH, SEED)
    network.compile(keras.optimizers.Adam(0.005), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"], jit_compile=False)
    network.fit(tf.data.Dataset.from_tensor_slices((x, y)).shuffle(2000).batch(32), epochs=EPOCHS, verbose=0)
    x, y = make_memory_task(1500, SEQUENCE_LENGTH, SEED + 99)
    memory_results[name] = float(network.evaluate(x, y, batch_size=500, verbose=0)[1])
recall = Recall(network)
