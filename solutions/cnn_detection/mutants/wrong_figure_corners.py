"""This student draws rectangles with the lower right corner where matplotlib wants width and height."""

EXPECTED = {"figure": "partial"}
RIGHT = False

# %% [figure]
figure_detections = None
figure_detections, panels = plt.subplots(2, 3, figsize=(9, 6.5), layout="constrained")
for panel, image, true_boxes, (found_boxes, found_scores, found_labels) in zip(panels.flat, test_images, test_boxes, test_found):
    panel.imshow(image[:, :, 0], cmap="gray", vmin=0, vmax=255)
    for x_min, y_min, x_max, y_max in true_boxes:
        panel.add_patch(plt.Rectangle((x_min - 0.5, y_min - 0.5), x_max, y_max, fill=False, color="tab:cyan", lw=2))
    for (x_min, y_min, x_max, y_max), score, label in zip(found_boxes, found_scores, found_labels):
        if score >= 0.3:
            panel.add_patch(plt.Rectangle((x_min - 0.5, y_min - 0.5), x_max, y_max, fill=False, color="tab:orange", ls="--"))
            panel.text(x_min, y_max + 3, f"{label} ({score:.2f})", color="tab:orange", fontsize=8)
    panel.set_axis_off()
figure_detections.suptitle("Held-back scenes: true boxes (solid) and detections (dashed)")
