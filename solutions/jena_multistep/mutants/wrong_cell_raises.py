"""This student's second figure stops with a NameError after the first one is finished: the variable is called
x_test."""

EXPECTED = {"figures": "partial"}
RIGHT = False
DEMO = True

# %% [figures]
figure_curves = None
figure_forecasts = None
figure_curves, axes = plt.subplots(figsize=(9, 4), layout="constrained")
for number, (name, history) in enumerate(histories.items()):
    epochs = np.arange(1, len(history["loss"]) + 1)
    axes.plot(epochs, history["mae"], "--", color=f"C{number}", label=f"{name}, training")
    axes.plot(epochs, history["val_mae"], "-", color=f"C{number}", label=f"{name}, validation")
axes.set(xlabel="epoch", ylabel="MAE (normalised units)", yscale="log", title="Learning curves")
axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))

figure_forecasts, panels = plt.subplots(2, 1, figsize=(9, 6), layout="constrained")
window, past = len(test_windows) // 2, 36
hours_before, hours_after = np.arange(1 - past, 1) / 6, np.arange(1, HORIZON + 1) / 6
for target, (panel, unit) in enumerate(zip(panels, ["temperature (°C)", "pressure (mbar)"])):
    panel.plot(hours_before, x_test[window, -past:, FEATURES.index(TARGETS[target])], "k-", label="past")
    panel.plot(hours_after, y_test[window, :, target], "k.--", label="truth")
    for name, forecast in forecasts.items():
        panel.plot(hours_after, forecast[window, :, target], label=name)
    panel.set(xlabel="hours from now", ylabel=unit)
    panel.legend(loc="center left", bbox_to_anchor=(1, 0.5))
figure_forecasts.suptitle("One window of the test part")
