"""Collect the photographs that the bundled editor is trained on: 53 of Debian's wallpapers.

Needs `apt-get` and `dpkg`. Fetches the packages below, keeps the files named here and stores them
with a long side of 640 pixels. The photos are used for training only and are not shipped; their
licences (GPL-2+, LGPL-2.1+, CC-BY, CC-BY-SA, CC0) stand in each package's copyright file.

    python assets/recipes/collect_photos.py build/photos
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

LONG_SIDE = 640
# Package: stems of the files to keep (a Plasma wallpaper is named by its folder).
# aitzgorri and picosdeeuropa are left out: the benchmark judges the editor on them.
PHOTOS: dict[str, str] = {
    "lomiri-wallpapers-16.04": """
        Bridge_by_Sander_Klootwijk Dragonfly_by_Bolly Picture_0B_by_freespace
        Picture_1A_by_freespace Wine_by_Jakkub_Mede free_by_Peter_Nerlich
        friends_by_Aitzol_Berasategi greentock_by_Peter_Nerlich life_by_Aitzol_Berasategi
        seeding_by_Clements_Engelhardt sunset_by_Aitzol_Berasategi
    """,
    "lomiri-wallpapers-20.04": """
        Infinite-Sea_by_Aury88 Kleiber_by_Lukas_Baubkus
    """,
    "lxqt-themes": """
        beam Butterfly-Kenneth-Wimer Valendas after-the-rain appleflower butterfly cloud
        drop flowers fog this-is-not-windows
    """,
    "mate-backgrounds": """
        Aqua Blinds Dune FreshFlower Garden GreenMeadow LadyBird RainDrops Storm TwoWings
        Wood YellowFlower
    """,
    "palapeli-data": """
        castle-maintenon cincinnati-bridge citrus-fruits european-honey-bee panther-
        chameleon-female
    """,
    "plasma-workspace-wallpapers": """
        Autumn BytheWater ColdRipple ColorfulCups DarkestHour EveningGlow FallenLeaf Grey
        Kite OneStandsOut Path summer_1am
    """,
}


def _name(path: Path) -> str:
    return path.parents[2].name if path.parent.name == "images" else path.stem


def collect(out: Path) -> None:
    """Fetch every package and write the kept photos to `out` as JPEG."""
    out.mkdir(parents=True, exist_ok=True)
    for package, names in PHOTOS.items():
        with tempfile.TemporaryDirectory() as work:
            subprocess.run(["apt-get", "download", "-q", package], cwd=work, check=True)
            subprocess.run(
                ["dpkg", "-x", *[p.name for p in Path(work).glob("*.deb")], "."],
                cwd=work,
                check=True,
            )
            files = {
                _name(path): path
                for path in sorted(Path(work).rglob("*"))
                if path.suffix in (".jpg", ".png") and "screenshot" not in path.stem
            }
            for name in names.split():
                photo = Image.open(files[name]).convert("RGB")
                photo.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
                photo.save(out / f"{name}.jpg", quality=94)
    print(f"{len(list(out.glob('*.jpg')))} photos in {out}")


if __name__ == "__main__":
    collect(Path(sys.argv[1]))
