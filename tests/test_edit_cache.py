from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smile_core.edit_cache import EditCache, default_folder, edit_key, pixel_digest


def noise(seed: int, side: int = 32) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def key(number: int) -> str:
    return edit_key("photo", "editor", f"prompt {number}", 0, {})


def test_a_picture_comes_back_bit_for_bit(tmp_path: Path) -> None:
    cache = EditCache(tmp_path)
    assert cache.get(key(1)) is None
    cache.put(key(1), noise(1))
    assert np.array_equal(EditCache(tmp_path).get(key(1)), noise(1))


def test_every_part_of_the_key_counts() -> None:
    photo = pixel_digest(noise(1))
    base = (photo, "editor", "make it snowy", 0, {"steps": 4})
    changed = [
        (pixel_digest(noise(2)), *base[1:]),
        (photo, "other", *base[2:]),
        (photo, "editor", "make snowy", 0, {"steps": 4}),
        (photo, "editor", "make it snowy", 1, {"steps": 4}),
        (photo, "editor", "make it snowy", 0, {"steps": 5}),
        (photo, "editor", "make it snowy", 0, {"guidance_scale": 4}),
        (*base, pixel_digest(noise(3))),
        (*base, pixel_digest(noise(4))),
        (*base, None, 1),
        (*base, None, 2),
        (*base, pixel_digest(noise(3)), 1),
    ]
    keys = {edit_key(*parts) for parts in [base, *changed]}
    assert len(keys) == 1 + len(changed)
    assert edit_key(*base) == edit_key(*base, None) == edit_key(*base, None, 0)
    # Edits that were made before there were masks and repeats are still found.
    before = "a79709733381e74477452299bf9b2fdd01a33545b34cedf13f07763508b4c767"
    assert edit_key("photo", "editor", "make it snowy", 0, {"steps": 4}) == before


def test_the_same_bytes_in_another_shape_are_another_picture() -> None:
    flat, tall = Image.new("RGB", (20, 10)), Image.new("RGB", (10, 20))
    assert flat.tobytes() == tall.tobytes()
    assert pixel_digest(flat) != pixel_digest(tall)


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "another picture"])
def test_a_damaged_entry_is_removed(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = EditCache(tmp_path)
    cache.put(key(1), noise(1))
    (path,) = tmp_path.glob("*/*.png")
    data = bytearray(path.read_bytes())
    if damage == "another picture":
        noise(2).save(path, "PNG")
    elif damage == "flipped":
        data[len(data) // 2] ^= 0xFF
        path.write_bytes(data)
    else:
        path.write_bytes(b"" if damage == "empty" else data[: len(data) // 2])
    assert cache.get(key(1)) is None
    assert not path.exists()
    assert "damaged edit" in caplog.text
    cache.put(key(1), noise(1))
    assert np.array_equal(cache.get(key(1)), noise(1))


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    size = 3500  # bytes of one 32 x 32 noise picture, roughly
    cache = EditCache(tmp_path, max_bytes=5 * size)
    for number in range(4):
        cache.put(key(number), noise(number))
        os.utime(next(tmp_path.glob(f"*/{key(number)}.png")), (number, number))
    assert cache.get(key(0)) is not None  # now the most recent
    cache.put(key(4), noise(4))
    cache.put(key(5), noise(5))
    assert cache.get(key(0)) is not None
    assert cache.get(key(1)) is None
    assert cache.get(key(5)) is not None
    assert sum(path.stat().st_size for path in tmp_path.glob("*/*")) <= cache.max_bytes


def test_threads_may_share_a_folder(tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def work() -> None:
        cache = EditCache(tmp_path, max_bytes=60_000)  # small, so that eviction happens too
        try:
            for number in range(30):
                cache.put(key(number), noise(number))
                found = cache.get(key(number))
                assert found is None or np.array_equal(found, noise(number))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert not list(tmp_path.glob("*/*.tmp"))


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """A file-size limit makes the operating system refuse the write in its middle."""
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from smile_core.edit_cache import EditCache; from tests.test_edit_cache import noise\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "cache = EditCache(Path(sys.argv[1]))\n"
        "cache.put('aa', noise(1)); print('small fits', flush=True)\n"
        "try: cache.put('bb', noise(2, side=200))\n"
        "except OSError as error: print('refused', error.errno)\n"
        "print(cache.get('aa') is not None, cache.get('bb'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
    )
    assert done.stdout.split("\n")[0] == "small fits"
    assert "refused" in done.stdout
    assert done.stdout.strip().endswith("True None")
    assert not list(tmp_path.glob("*/*.tmp"))


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        EditCache(tmp_path / "file" / "cache").put(key(1), noise(1))


def test_what_dead_processes_left_is_cleared(tmp_path: Path) -> None:
    cache = EditCache(tmp_path)
    cache.put(key(1), noise(1))
    folder = next(tmp_path.glob("??"))
    for name, age in (("old.tmp", 1), ("new.tmp", None)):
        (folder / name).write_bytes(b"half a picture")
        if age:
            os.utime(folder / name, (age, age))
    EditCache(tmp_path).put(key(2), noise(2))
    assert not (folder / "old.tmp").exists()
    assert (folder / "new.tmp").exists()


def test_the_folder_is_chosen_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMILE_CACHE_DIR", str(tmp_path))
    assert EditCache().folder == tmp_path
    monkeypatch.delenv("SMILE_CACHE_DIR")
    assert default_folder().parts[-2:] == ("smile-editing", "edits")


def test_a_cache_folder_deleted_in_between_is_made_again(tmp_path: Path) -> None:
    cache = EditCache(tmp_path / "cache")
    cache.put(key(1), noise(1))
    shutil.rmtree(tmp_path / "cache")
    assert cache.get(key(1)) is None
    cache.put(key(1), noise(1))
    assert cache.get(key(1)) is not None
