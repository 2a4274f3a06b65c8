"""The program that command.toml describes: tints the photo by the colours that are named."""

from __future__ import annotations

import argparse

from PIL import Image

COLOURS = {"red": (255, 0, 0), "green": (0, 160, 0), "blue": (0, 0, 255), "golden": (255, 190, 0)}

parser = argparse.ArgumentParser()
parser.add_argument("image")
parser.add_argument("output")
parser.add_argument("--prompt", required=True)
parser.add_argument("--seed", type=int, default=0)
given = parser.parse_args()

picture = Image.open(given.image).convert("RGB")
for word in given.prompt.lower().split():
    if word in COLOURS:
        picture = Image.blend(picture, Image.new("RGB", picture.size, COLOURS[word]), 0.4)
picture.save(given.output)
