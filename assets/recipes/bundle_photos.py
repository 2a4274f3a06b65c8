"""Copy the bundled photos out of scikit-image and scikit-learn, as JPEG, long side at most 1024.

Run from the repository root with scikit-image and scikit-learn installed::

    python assets/recipes/bundle_photos.py

Who took them and under which licence stands in assets/photos/CREDITS.md.
"""

from __future__ import annotations

from pathlib import Path

import skimage.data
import sklearn.datasets
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
}
FOLDER.mkdir(exist_ok=True)
for name, pixels in pictures.items():  # pixels: (height, width, 3) uint8
    photo = Image.fromarray(pixels)
    photo.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
    photo.save(FOLDER / f"{name}.jpg", quality=92, optimize=True)
    print(name, photo.size)
