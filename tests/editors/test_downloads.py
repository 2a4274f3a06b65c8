"""Finding and fetching models, from a hub on this machine that speaks the real protocol.

The hub's client reads its address and its cache once, when it is imported, so each test runs it
in a process of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from smile_core.config import ConfigError
from smile_core.editors.downloads import Download, check_disk
from smile_core.editors.model_files import files_of_folder, wanted_files
from tests.loopback_hub import Repository, files_in, run_apart, serving

ROOT = Path(__file__).parents[2]
INDEX = json.dumps(
    {
        "_class_name": "StableDiffusionInstructPix2PixPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "safety_checker": [None, None],
    }
).encode()
SMALL = {
    "model_index.json": INDEX,
    "unet/config.json": b"{}",
    "unet/diffusion_pytorch_model.safetensors": bytes(300_000),
}
LARGE = 25_000_000  # arrives in more pieces than one
HUGE = "unet/diffusion_pytorch_model.safetensors"

FETCH = """
import json, logging, sys
from smile_core.config import ConfigError
from smile_core.editors import downloads
from smile_core.editors.model_files import files_of_hub
logging.basicConfig(level=logging.INFO, stream=sys.stderr)
seen = []
class Listener(logging.Handler):
    def emit(self, record):
        download = downloads.current_download()
        seen.append((download.done_bytes, download.total_bytes))
logging.getLogger("smile_core.editors.downloads").addHandler(Listener())
downloads._LOG_EVERY_S = 0.0
try:
    found = files_of_hub(sys.argv[1])
    folder = found.fetch()
    print(json.dumps([found.weight_bytes, str(folder), seen]))
except ConfigError as error:
    print(json.dumps(str(error)))
"""

STOP = """
import sys
from smile_core.config import ConfigError
from smile_core.editors import downloads
from smile_core.editors.model_files import files_of_hub
add = downloads.Download.add
def add_and_stop(download, count):
    add(download, count)
    download.stopped = True
downloads.Download.add = add_and_stop
try:
    files_of_hub(sys.argv[1]).fetch()
except ConfigError as error:
    print(error)
"""

CARD = """
import sys
from smile_core.editors.registry import find_card
card = find_card(sys.argv[1])
print(card.title, card.licence, card.family, card.gated, sep="|")
"""

EDIT = """
import sys
from PIL import Image
from smile_core.config import ConfigError
from smile_core.editors import load_editor
photo = Image.open(sys.argv[2])
load_editor(sys.argv[1]).edit(photo, ["snow"], seed=0)[0].save(sys.argv[3])
"""


@pytest.fixture(scope="module")
def hub(tiny_pipeline: Path) -> Iterator[tuple[str, list[str]]]:
    tiny = files_in(tiny_pipeline)
    copies = {
        "unet/diffusion_pytorch_model.fp16.safetensors": b"half",
        "unet/diffusion_pytorch_model.bin": b"pickle",
        "unet/flax_model.msgpack": b"flax",
        "everything.ckpt": b"all",
        "README.md": b"a card",
    }
    repositories = {
        "lab/tiny": Repository({**tiny, **copies}),
        "lab/small": Repository(SMALL),
        "lab/gated": Repository(SMALL, gated=True),
        "lab/single": Repository({"model.safetensors": b"x"}),
        "lab/huge": Repository(SMALL, sizes={HUGE: 10**15}),
        "lab/cut": Repository(SMALL, cut=(HUGE,)),
        "lab/large": Repository({**SMALL, HUGE: bytes(LARGE)}),
    }
    with serving(repositories) as served:
        yield served


def fetch(hub_id: str, **where: object) -> object:
    return json.loads(run_apart(FETCH, hub_id, **where))


def test_a_model_arrives_with_its_size_and_progress_known(
    hub: tuple[str, list[str]], tmp_path: Path
) -> None:
    weight_bytes, folder, seen = fetch("lab/small", endpoint=hub[0], home=tmp_path)
    assert weight_bytes == 300_000
    assert files_in(Path(folder)) == SMALL
    total = sum(map(len, SMALL.values())) - len(INDEX)  # which is read first
    assert seen[0] == [0, total]
    assert seen[-1] == [total, total]
    again = fetch("lab/small", endpoint=hub[0], home=tmp_path)
    assert again[2][0] == [0, 0]
    offline = fetch("lab/small", endpoint="http://127.0.0.1:9", home=tmp_path)
    assert offline[0] == 300_000  # found on this machine
    assert files_in(Path(offline[1])) == SMALL


@pytest.mark.parametrize(
    ("hub_id", "variables", "words"),
    [
        ("lab/unknown", {}, "There is no public model 'lab/unknown'"),
        ("lab/gated", {}, "is gated. Accept its licence .* log in with: hf auth login"),
        ("lab/gated", {"HF_TOKEN": "hf_x"}, "is gated. Accept its licence .* use a token"),
        ("lab/single", {}, "no model_index.json.*from_single_file"),
        ("lab/huge", {}, r"a download of 1000000.0 GB, and the disk of .* GB free"),
        ("lab/cut", {}, "broke off"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    hub_id: str,
    variables: dict[str, str],
    words: str,
    hub: tuple[str, list[str]],
    tmp_path: Path,
) -> None:
    sentence = fetch(hub_id, endpoint=hub[0], home=tmp_path, **variables)
    assert isinstance(sentence, str)
    with pytest.raises(ConfigError, match=words):
        raise ConfigError(sentence)
    assert "\n" not in sentence


def test_a_gated_model_that_is_here_already_needs_no_token(
    hub: tuple[str, list[str]], tmp_path: Path
) -> None:
    with serving({"lab/gated": Repository(SMALL)}) as (before, _):
        fetch("lab/gated", endpoint=before, home=tmp_path)
    _, folder, _ = fetch("lab/gated", endpoint=hub[0], home=tmp_path)
    assert files_in(Path(folder)) == SMALL


def test_a_download_that_is_stopped_breaks_off(hub: tuple[str, list[str]], tmp_path: Path) -> None:
    address, asked = hub
    asked.clear()
    sentence = run_apart(STOP, "lab/large", endpoint=address, home=tmp_path)
    assert "The download of 'lab/large' broke off (StopRequested)" in sentence
    again = fetch("lab/large", endpoint=address, home=tmp_path)
    assert again[0] == LARGE  # and a later one completes it


def test_the_card_of_a_model_is_known_before_its_weights_are_fetched(
    hub: tuple[str, list[str]], tmp_path: Path
) -> None:
    address, asked = hub
    asked.clear()
    card = run_apart(CARD, "lab/small", endpoint=address, home=tmp_path)
    assert card.strip() == "lab/small|mit|instruct-pix2pix|False"
    assert asked == ["model_index.json"]


def test_without_a_network_it_says_so(tmp_path: Path) -> None:
    sentence = fetch("lab/small", endpoint="http://127.0.0.1:9", home=tmp_path)
    assert "is not on this machine and cannot be fetched" in sentence


def test_an_editor_of_the_hub_edits_like_its_folder(
    hub: tuple[str, list[str]], tiny_pipeline: Path, tmp_path: Path
) -> None:
    from PIL import Image

    from smile_core.editors import load_editor

    address, asked = hub
    asked.clear()
    photo = Image.effect_noise((64, 32), 90).convert("RGB")
    photo.save(tmp_path / "photo.png")
    made = str(tmp_path / "made.png")
    run_apart(EDIT, "lab/tiny", str(tmp_path / "photo.png"), made, endpoint=address, home=tmp_path)
    assert not {name for name in asked if "fp16" in name or name.endswith((".bin", ".ckpt"))}
    with Image.open(made) as edit:
        (expected,) = load_editor(str(tiny_pipeline)).edit(photo, ["snow"], seed=0)
        assert edit.tobytes() == expected.tobytes()


def test_of_several_copies_of_a_weight_the_one_that_is_loaded_counts() -> None:
    index = {"_class_name": "X", "unet": ["diffusers", "U"], "old": [None, None], "is_distilled": 1}
    names = [
        "model_index.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/diffusion_pytorch_model.non_ema.bin",
        "unet/diffusion_pytorch_model.bin",
        "old/model.safetensors",
        "transformer/model.safetensors",
        "smile_card.json",
        "all.safetensors",
    ]
    wanted = wanted_files(index, names)
    assert wanted == ["model_index.json", "smile_card.json", *names[1:3]]
    sharded = [f"unet/diffusion_pytorch_model-0000{n}-of-00002.bin" for n in (1, 2)]
    assert wanted_files(index, sharded) == sharded


def test_a_folder_knows_the_size_of_its_weights(tiny_pipeline: Path) -> None:
    found = files_of_folder(tiny_pipeline)
    weights = [path.stat().st_size for path in tiny_pipeline.rglob("*.safetensors")]
    assert found.weight_bytes == sum(weights)
    assert found.fetch() == tiny_pipeline
    assert found.name == "tiny"


def test_a_download_that_does_not_fit_the_disk(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"GB free\. Free some space"):
        check_disk("lab/large", 10**15, tmp_path / "not" / "yet")
    check_disk("lab/small", 1000, tmp_path)


def test_the_line_of_a_download() -> None:
    download = Download("lab/large", 4_000_000_000)
    assert download.line() == "Downloading lab/large: 0.0 of 4.0 GB"
    download.done_bytes = 1_000_000_000
    download.started -= 10
    assert download.line() == "Downloading lab/large: 1.0 of 4.0 GB · 30 s left"
