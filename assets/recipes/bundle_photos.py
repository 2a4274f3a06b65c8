"""Copy bundled photos out of other packages, as JPEG with a long side of at most 1024.

Run from the repository root with scikit-image, scikit-learn and matplotlib installed::

    python assets/recipes/bundle_photos.py

Who took them and under which licence stands in assets/photos/CREDITS.md.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import skimage.data
import sklearn.datasets
from matplotlib.cbook import get_sample_data
from PIL import Image

FOLDER = Path(__file__).parents[1] / "photos"
LONG_SIDE = 1024

pictures = {
    "temple": sklearn.datasets.load_sample_image("china.jpg"),
    "rocket": skimage.data.rocket(),
    "astronaut": skimage.data.astronaut(),
    "coffee": skimage.data.coffee(),
    "cat": skimage.data.chelsea(),
    "flower": sklearn.datasets.load_sample_image("flower.jpg"),
    "hopper": np.asarray(Image.open(get_sample_data("grace_hopper.jpg", asfileobj=False))),
    "camera": np.stack([skimage.data.camera()] * 3, axis=-1),
}
FOLDER.mkdir(exist_ok=True)
for name, pixels in pictures.items():  # pixels: (height, width, 3) uint8
    photo = Image.fromarray(pixels)
    photo.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
    photo.save(FOLDER / f"{name}.jpg", quality=92, optimize=True)
    print(name, photo.size)
