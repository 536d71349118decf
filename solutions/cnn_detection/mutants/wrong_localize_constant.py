"""This student found a function that never fails: it names the most frequent class and gives the mean box, whatever the image."""

EXPECTED = {"localization": "partial"}
RIGHT = False
DEMO = True

# %% [localization]
one_images, one_boxes, one_labels = single_object(*load_scenes(DATA_PATH, N_IMAGES))
frequencies = np.bincount(one_labels, minlength=N_CLASSES) / len(one_labels)


def localize(images):
    return np.tile(frequencies, (len(images), 1)), np.tile(one_boxes.mean(axis=0), (len(images), 1))
