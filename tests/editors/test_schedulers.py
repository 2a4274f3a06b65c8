"""The few-step scheduler in real pipelines with random weights, against the pipelines by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DiffusionPipeline, DPMSolverMultistepScheduler
from PIL import Image

from smile_core.__main__ import main
from smile_core.comparison_export import load_comparison
from smile_core.config import DPM_SOLVER, ConfigError, RunConfig
from smile_core.edit_cache import EditCache
from smile_core.editors import StopRequested, list_editors, load_editor, registry
from smile_core.editors.batch_editor import BatchEditor
from smile_core.editors.cosxl import NOISE
from smile_core.editors.registry import find_card
from smile_core.editors.schedulers import dpm_solver, has_replaceable
from smile_core.engine import stream
from tests import tiny_stable_diffusion, tiny_transformers
from tests.pixels import gap
from tests.tiny_pipeline import save_tiny_pipeline
from tests.toy_editors import ToyEncoder

PROMPTS = ["snow", "rain at dusk", "a b", "fog", "night"]
SIZE = (64, 64)
FEW = {"steps": 5, "scheduler": DPM_SOLVER}
GUIDED = {"guidance_scale": 3.0, "image_guidance_scale": 1.5}
PAINTED = {"guidance_scale": 3.0, "strength": 0.8}


def save_instruct(folder: Path, *, ancestral: bool = True) -> Path:
    """Save an InstructPix2Pix whose card takes another scheduler.

    The own one is ancestral unless told otherwise: it draws noise at every step.
    """
    saved = save_tiny_pipeline(folder, ancestral=ancestral)
    card = saved / "smile_card.json"
    fields = json.loads(card.read_text(encoding="utf-8")) | {"takes_scheduler": True}
    card.write_text(json.dumps(fields), encoding="utf-8")
    return saved


FAMILIES: dict[str, tuple[Callable[[Path], Path], dict[str, Any]]] = {
    "instruct-pix2pix": (save_instruct, GUIDED),
    "xl-instruct-pix2pix": (tiny_stable_diffusion.save_xl_instruct_pix2pix, GUIDED),
    "inpaint": (tiny_stable_diffusion.save_inpaint, PAINTED),
    "xl-inpaint": (tiny_stable_diffusion.save_xl_inpaint, PAINTED),
    "img2img": (tiny_stable_diffusion.save_img2img, PAINTED),
}


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def folder(family: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return FAMILIES[family][0](tmp_path_factory.mktemp("editors") / family)


@pytest.fixture(scope="module")
def editor(folder: Path) -> BatchEditor:
    registry._load.cache_clear()
    loaded = load_editor(str(folder))
    assert isinstance(loaded, BatchEditor)
    return loaded


@pytest.fixture(scope="module")
def settings(family: str, editor: BatchEditor) -> dict[str, Any]:
    mask = {"mask": Image.new("L", SIZE, 255)} if editor.card.needs_mask else {}
    return {**FAMILIES[family][1], **mask}


def test_equal_to_the_pipeline_called_by_hand_one_by_one(
    family: str, folder: Path, editor: BatchEditor, settings: dict[str, Any], photo: Image.Image
) -> None:
    assert editor.card.takes_scheduler
    # Known before any weight is read, too.
    known = find_card(str(folder))
    assert known is not None
    assert known.takes_scheduler
    edits = editor.edit(photo, PROMPTS, seed=7, **settings, **FEW)
    assert len({edit.tobytes() for edit in edits}) == len(PROMPTS)
    pipe = DiffusionPipeline.from_pretrained(folder)
    pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    call = {"mask_image" if name == "mask" else name: value for name, value in settings.items()}
    sized = {} if family in ("img2img", "instruct-pix2pix") else {"height": 64, "width": 64}
    for prompt, edit in list(zip(PROMPTS, edits, strict=True))[:2]:
        expected = pipe(
            prompt=prompt,
            image=photo,
            num_inference_steps=5,
            generator=torch.Generator().manual_seed(7),
            **call,
            **sized,
        ).images[0]
        assert gap(edit, expected) <= 2


def test_the_seed_decides_and_the_batch_does_not(
    editor: BatchEditor, settings: dict[str, Any], photo: Image.Image
) -> None:
    edits = editor.edit(photo, PROMPTS, seed=7, **settings, **FEW)
    assert editor.edit(photo, PROMPTS[3:4], seed=7, **settings, **FEW) == edits[3:4]
    (other,) = editor.edit(photo, PROMPTS[:1], seed=8, **settings, **FEW)
    assert gap(other, edits[0]) > 2


def test_its_own_scheduler_comes_back(
    editor: BatchEditor, settings: dict[str, Any], photo: Image.Image
) -> None:
    own = editor.edit(photo, PROMPTS[:1], seed=7, steps=5, **settings)
    few = editor.edit(photo, PROMPTS[:1], seed=7, **settings, **FEW)
    assert gap(own[0], few[0]) > 2
    assert editor.edit(photo, PROMPTS[:1], seed=7, steps=5, **settings) == own
    asked: list[int] = []
    with pytest.raises(StopRequested):  # between two steps
        editor.edit(photo, PROMPTS, seed=7, stop=lambda: bool(asked.append(1)) or len(asked) > 1,
                    **settings, **{**FEW, "steps": 500})  # fmt: skip
    assert len(asked) == 2
    assert editor.edit(photo, PROMPTS[:1], seed=7, steps=5, **settings) == own
    assert editor.edit(photo, PROMPTS[:1], seed=7, **settings, **FEW) == few


def noise_drawn(monkeypatch: pytest.MonkeyPatch, editor: BatchEditor, **call: Any) -> int:
    """Count the tensors of noise that the schedulers draw in one edit."""
    drawn: list[tuple[int, ...]] = []
    for module in (
        diffusers.schedulers.scheduling_euler_ancestral_discrete,
        diffusers.schedulers.scheduling_dpmsolver_multistep,
    ):

        def counted(shape: Any, *args: Any, _draw: Any = module.randn_tensor, **kw: Any) -> Any:
            drawn.append(tuple(shape))
            return _draw(shape, *args, **kw)

        monkeypatch.setattr(module, "randn_tensor", counted)
    editor.edit(**call)
    monkeypatch.undo()
    return len(drawn)


def test_no_noise_on_the_way_even_where_the_own_scheduler_draws_it(
    tmp_path: Path, photo: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = load_editor(str(save_instruct(tmp_path / "ancestral")))
    assert isinstance(editor, BatchEditor)
    call: dict[str, Any] = {"image": photo, "prompts": ["snow"], "seed": 0, **GUIDED}
    assert noise_drawn(monkeypatch, editor, **call, steps=5) == 5
    assert noise_drawn(monkeypatch, editor, **call, **FEW) == 0


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize("zero_snr", [False, True])
def test_what_the_model_was_trained_with_is_kept(prediction: str, zero_snr: bool) -> None:
    own = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type=prediction,
        timestep_spacing="trailing",
        rescale_betas_zero_snr=zero_snr,
    )
    made = dpm_solver(own, "tiny")
    kept = ("beta_start", "beta_end", "beta_schedule", "prediction_type", "timestep_spacing",
            "rescale_betas_zero_snr")  # fmt: skip
    assert {name: made.config[name] for name in kept} == {name: own.config[name] for name in kept}
    # Without any signal at the last time its logarithm would be infinite.
    made.set_timesteps(4)
    latents = torch.randn(1, 4, 2, 2, generator=torch.Generator().manual_seed(0))
    for time in made.timesteps:
        latents = made.step(0.3 * latents, time, latents).prev_sample
    assert torch.isfinite(latents).all()


def test_a_solver_with_noise_is_replaced_by_the_one_without() -> None:
    own = DPMSolverMultistepScheduler(algorithm_type="sde-dpmsolver++", solver_order=3)
    made = dpm_solver(own, "tiny")
    assert (made.config.algorithm_type, made.config.solver_order) == ("dpmsolver++", 2)


@pytest.mark.parametrize(
    "own",
    [
        diffusers.FlowMatchEulerDiscreteScheduler(),
        diffusers.EDMEulerScheduler(**NOISE),  # that of CosXL
        diffusers.LCMScheduler(),
        DPMSolverMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True),
    ],
    ids=lambda own: type(own).__name__,
)
def test_a_scheduler_that_cannot_be_replaced(own: Any) -> None:
    with pytest.raises(ConfigError, match=r"its own, .* has another schedule of noise"):
        dpm_solver(own, "tiny")


def test_the_index_tells_whether_it_can_be_replaced() -> None:
    def index(kind: object) -> dict[str, Any]:
        return {"scheduler": ["diffusers", kind]}

    assert has_replaceable(index("PNDMScheduler"))
    assert has_replaceable(index("EulerAncestralDiscreteScheduler"))
    assert has_replaceable(index("DPMSolverMultistepScheduler"))
    for other in ("FlowMatchEulerDiscreteScheduler", "EDMEulerScheduler", "Tomorrow", None):
        assert not has_replaceable(index(other))
    for broken in ({}, {"scheduler": None}, {"scheduler": []}, {"scheduler": "PNDMScheduler"}):
        assert not has_replaceable(broken)


def test_an_editor_that_does_not_take_it_says_so(tmp_path: Path, photo: Image.Image) -> None:
    klein = load_editor(str(tiny_transformers.save_flux2_klein(tmp_path / "klein")))
    assert not klein.card.takes_scheduler
    with pytest.raises(ConfigError, match=r"no scheduler but its own\. .* Leave it unset"):
        klein.edit(photo, ["snow"], seed=0, scheduler=DPM_SOLVER)
    described = save_instruct(tmp_path / "edm", ancestral=False)
    diffusers.EDMEulerScheduler(**NOISE).save_pretrained(described / "scheduler")
    index = described / "model_index.json"
    named = index.read_text(encoding="utf-8").replace("DDIMScheduler", "EDMEulerScheduler")
    index.write_text(named, encoding="utf-8")
    refusal = "cannot run with .* its own, EDMEulerScheduler"
    with pytest.raises(ConfigError, match=refusal):
        load_editor(str(described)).edit(photo, ["snow"], seed=0, scheduler=DPM_SOLVER)


def test_an_instruct_pix2pix_that_nobody_described_takes_it(tmp_path: Path) -> None:
    saved = save_tiny_pipeline(tmp_path / "plain")
    (saved / "smile_card.json").unlink()
    card = find_card(str(saved))
    assert card is not None
    assert card.takes_scheduler


def test_which_registered_editors_take_it() -> None:
    taking = {card.name for card in list_editors() if card.takes_scheduler}
    assert taking == {
        "instruct-pix2pix", "magicbrush", "hq-edit", "sdxl-instruct-pix2pix", "sd15-inpainting",
        "sd2-inpainting",
    }  # fmt: skip


def test_the_command_line_compares_it_with_the_own_one(tmp_path: Path, photo: Image.Image) -> None:
    photo.save(tmp_path / "photo.png")
    command = ["compare", "--image", str(tmp_path / "photo.png"), "--instruction", "a b"]
    editor = ["--editor", str(save_instruct(tmp_path / "tiny"))]
    options = ["--scheduler", "own", DPM_SOLVER, "--steps", "4", "--image-distance", "cosine"]
    assert main([*command, *editor, *options, "--out", str(tmp_path / "out")]) == 0
    found = load_comparison(tmp_path / "out")
    assert [column.label for column in found.columns] == [
        "default scheduler", "scheduler dpm-solver",
    ]  # fmt: skip
    assert [column.config.scheduler for column in found.columns] == [None, DPM_SOLVER]
    assert "dpm-solver" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_the_cache_keeps_the_edits_of_two_schedulers_apart(
    tmp_path: Path, photo: Image.Image
) -> None:
    folder = str(save_instruct(tmp_path / "cached"))
    cache = EditCache(tmp_path / "edits")

    def run(**knobs: Any) -> tuple[int, bytes]:
        """Return how many edits the cache holds after a run, and the full edit of the run."""
        config = RunConfig(instruction="a b", editor=folder, perturbations=2, steps=3, **knobs)
        *_, last = stream(photo, config, encoder=ToyEncoder(), cache=cache)
        full = last.explanation.reference.image
        return len(list((tmp_path / "edits").rglob("*.png"))), full.tobytes()

    first, own = run()
    both, few = run(scheduler=DPM_SOLVER)
    assert both == 2 * first
    assert own != few
    assert run() == (both, own)
    assert run(scheduler=DPM_SOLVER) == (both, few)
