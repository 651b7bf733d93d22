"""Pretrain a MOMENT encoder on synthetic series by rebuilding hidden patches.

A step draws one dense batch (series of one random length), hides 30 to 40 % of the patches of each
series behind the mask vector, normalises by the visible samples (RevIN) and asks the encoder for
the hidden ones. Everything random is a function of (seed, step), so a resumed run repeats what an
uninterrupted one would have done.

Source: Goswami et al. (2024), MOMENT, section 3. Different here: Huber instead of squared error (a
hidden spike over a flat context would else dominate), no dropout (no series is ever seen twice).
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # the name torch's own documents use

from tool_use_om.data.errors import DataError
from tool_use_om.data.synthetic.curves.draws import log_uniform
from tool_use_om.data.workspace import atomic_file
from tool_use_om.tokenizers.moment.checkpoint import load_moment, save_moment
from tool_use_om.tokenizers.moment.described import Inputs
from tool_use_om.tokenizers.moment.model import Moment, MomentConfig
from tool_use_om.tokenizers.pretrain.corpus import Corpus
from tool_use_om.tokenizers.pretrain.loss import (
    N_SEGMENT,
    N_SEGMENTS,
    N_SUMMARY,
    crops,
    held_out_losses,
    hidden_loss,
    hide,
    kin,
    read_real,
    resized,
    stretched,
    summarize,
    summarize_segments,
    warps,
    with_real,
)
from tool_use_om.tokenizers.pretrain.state import load_state, read_progress, save_state

MASKS = 2  # first word of the seeds of the hidden patches
METRICS_NAME = "metrics.jsonl"
CHECKPOINT = "checkpoint"
TEMPERATURE = 0.1
SMALLEST = 1e-4  # variance of a number over a window's tokens that counts as none
SHORTEST, LONGEST = 0.2, 1.4  # series that views are cut from, as shares of the views' length

Row = dict[str, Any]


class PretrainConfig(BaseModel):
    """What one run does; saved with its state, so a resume can refuse other options."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=0, ge=0)
    steps: int | None = Field(default=None, ge=1, description="length of the run; or give minutes")
    minutes: float | None = Field(default=None, gt=0, description="length in minutes of training")
    d_model: int = Field(default=192, ge=8)
    d_ff: int = Field(default=384, ge=8)
    n_layers: int = Field(default=4, ge=1)
    n_heads: int = Field(default=6, ge=1)
    patch_len: int = Field(default=8, ge=2)
    inputs: Inputs = Field(default="values", description="what the encoder reads of a patch")
    batch_samples: int = Field(default=16_384, ge=128)
    lengths: tuple[int, ...] = (64, 96, 128, 192, 256, 384, 512)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.05, ge=0)
    warmup: float = Field(default=0.03, ge=0, lt=1, description="share of the run")
    hide_from: float = Field(default=0.3, gt=0, lt=1)
    hide_to: float = Field(default=0.4, gt=0, lt=1)
    rebuild: float = Field(default=1.0, ge=0, description="weight of rebuilding hidden patches")
    contrast: float = Field(
        default=0.1, ge=0, description="weight of telling two crops of a series apart"
    )

    summary: float = Field(default=0.5, ge=0, description="weight of the summary of the window")
    segments: float = Field(default=0.0, ge=0, description="weight of the summary of its parts")
    views: Literal["crops", "warps", "both", "resized"] = Field(
        default="crops",
        description="what the contrast compares; both = by turns; resized = of a series of another "
        "length, two windows of 70 % to all of it, stretched",
    )
    spread: bool = Field(default=False, description="contrast deviations of tokens, too")
    causal: float = Field(default=0.0, ge=0, le=1, description="share of series of causal graphs")
    kin: float = Field(default=0.0, ge=0, le=1, description="share of batches of like series")
    forecast: float = Field(
        default=0.0, ge=0, le=1, description="share of batches whose last patches are hidden"
    )
    coarse: float = Field(
        default=0.0, ge=0, le=1, description="share of batches drawn shorter, then interpolated"
    )
    real: str | None = Field(
        default=None,
        description="a .npy file of real series (n, samples) that stand for a third of each batch: "
        "an ablation, never shipped",
    )
    start_from: str | None = Field(
        default=None, description="folder of the checkpoint to go on from; None = random weights"
    )

    @model_validator(mode="after")
    def _one_length(self) -> PretrainConfig:
        if (self.steps is None) == (self.minutes is None):
            raise DataError("Give either steps or minutes of training, not both or neither.")
        size = self.patch_len
        if self.d_model % self.n_heads or any(
            t % size or not 2 * size <= t <= 512 for t in self.lengths
        ):
            raise DataError(
                f"d_model must be a multiple of n_heads, and lengths multiples of {size} from "
                f"{2 * size} to 512; got d_model={self.d_model}, n_heads={self.n_heads}, "
                f"lengths={self.lengths}."
            )
        return self

    def moment(self) -> MomentConfig:
        """Shape of the encoder; dropout off, as no series is seen twice."""
        return MomentConfig(
            d_model=self.d_model,
            d_ff=self.d_ff,
            n_layers=self.n_layers,
            n_heads=self.n_heads,
            d_kv=self.d_model // self.n_heads,
            patch_len=self.patch_len,
            inputs=self.inputs,
            dropout=0.0,
            patch_dropout=0.0,
            head_dropout=0.0,
        )

    def corpus(self) -> Corpus:
        """The stream of series this run reads."""
        return Corpus(
            seed=self.seed,
            batch_samples=self.batch_samples,
            lengths=self.lengths,
            causal=self.causal,
        )


class Learner(nn.Module):
    """The encoder and what only its training needs (a projection for the contrast)."""

    def __init__(self, config: PretrainConfig) -> None:
        super().__init__()
        self.spread = config.spread
        self.moment = Moment(config.moment(), seed=config.seed)
        if config.start_from is not None:
            self.moment.load_state_dict(load_moment(config.start_from).state_dict())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed + 1)
            width = config.d_model
            self.project = (
                nn.Sequential(
                    nn.Linear(width * (1 + config.spread), width),
                    nn.GELU(),
                    nn.Linear(width, 64),
                )
                if config.contrast > 0
                else None
            )
            self.summary = nn.Linear(width, N_SUMMARY) if config.summary > 0 else None
            self.segments = nn.Linear(width, N_SEGMENT) if config.segments > 0 else None

    def forward(self, x: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Series (B, T) and hidden patches (B, P) bool → loss of the hidden, tokens (B, P, D)."""
        return hidden_loss(self.moment, x, hidden)

    def contrast(self, tokens: Tensor) -> Tensor:
        """InfoNCE between the two crops of each series; tokens (2 n, P, D), crops n rows apart."""
        if self.project is None:
            return tokens.new_zeros(())
        read = tokens.mean(1)
        if self.spread:
            read = torch.cat([read, (tokens.var(1) + SMALLEST).sqrt()], dim=-1)
        e = F.normalize(self.project(read).float(), dim=-1)
        n = e.shape[0]
        scores = (e @ e.T / TEMPERATURE).masked_fill(
            torch.eye(n, dtype=torch.bool, device=e.device), -torch.inf
        )
        partner = torch.arange(n, device=e.device).roll(n // 2)
        return F.cross_entropy(scores, partner)

    def describe(self, x: Tensor, tokens: Tensor) -> Tensor:
        """Loss of a linear reading of `summarize(x)` from the mean token."""
        if self.summary is None:
            return tokens.new_zeros(())
        return F.huber_loss(self.summary(tokens.mean(1)).float(), summarize(x))

    def describe_segments(self, x: Tensor, tokens: Tensor) -> Tensor:
        """Loss of a linear reading of `summarize_segments(x)` from the mean token of each part."""
        if self.segments is None:
            return tokens.new_zeros(())
        parts = F.adaptive_avg_pool1d(tokens.transpose(1, 2), N_SEGMENTS).transpose(1, 2)
        return F.huber_loss(self.segments(parts).float(), summarize_segments(x))


def learning_rate(config: PretrainConfig, progress: float) -> float:
    """Linear warm-up, then half a cosine down to a fiftieth; `progress` from 0 to 1."""
    if progress < config.warmup:
        return config.learning_rate * (0.02 + 0.98 * progress / config.warmup)
    turn = (progress - config.warmup) / (1 - config.warmup)
    return config.learning_rate * (0.02 + 0.49 * (1 + math.cos(math.pi * min(turn, 1.0))))


def fastest_precision(device: torch.device) -> torch.dtype:
    """Return bfloat16 where the processor has instructions for it (or a GPU is used), else float32.

    It is not timed: two runs on one machine must take the same steps. On processors without the
    instructions bfloat16 is emulated, up to a hundred times slower.
    """
    has = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return torch.bfloat16 if device.type == "cuda" or has() else torch.float32


class Run:
    """One pretraining run in a folder: its learner, optimizer and counters.

    Parameters
    ----------
    config : PretrainConfig
    out : Path, holds `state.safetensors`, `metrics.jsonl` and the exported `checkpoint/`
    resume : bool, go on from the state in `out`; else `out` must hold none

    Raises
    ------
    DataError : a state exists and `resume` is False, none exists and it is True, or the state
        belongs to a run with other options
    """

    def __init__(self, config: PretrainConfig, out: Path, *, resume: bool = False) -> None:
        self.config, self.out = config, out
        self.corpus = config.corpus()
        self.real = None if config.real is None else read_real(Path(config.real))
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.learner = Learner(config).to(self.device).train()
        decay = [p for p in self.learner.parameters() if p.ndim > 1]
        plain = [p for p in self.learner.parameters() if p.ndim <= 1]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": decay, "weight_decay": config.weight_decay},
                {"params": plain, "weight_decay": 0.0},
            ],
            lr=config.learning_rate,
            betas=(0.9, 0.98),
        )
        self.progress: dict[str, Any] = {
            "config": config.model_dump(mode="json"),
            "corpus": self.corpus.recipe(),
            "corpus_hash": self.corpus.recipe_hash(),
            "precision": str(fastest_precision(self.device)).removeprefix("torch."),
            "step": 0,
            "seconds": 0.0,
            "cpu_seconds": 0.0,
            "windows": 0,
            "samples": 0,
        }
        self._start_or_resume(resume=resume)

    @property
    def done(self) -> float:
        """Share of the run that is done, 0 to 1."""
        if self.config.steps is not None:
            return float(self.progress["step"] / self.config.steps)
        return float(self.progress["seconds"] / 60 / (self.config.minutes or 1))

    def step(self) -> Row:
        """Train on the next batch and return its metrics."""
        started, cpu = time.monotonic(), time.process_time()
        index = self.progress["step"]
        series = self._series(index)
        x = torch.from_numpy(series).to(self.device)
        rng = np.random.default_rng((MASKS, self.config.seed, index))
        n_patches = series.shape[1] // self.config.patch_len
        hidden = self._hidden(rng, len(series), n_patches).to(self.device)
        rate = learning_rate(self.config, self.done)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with self._autocast():
            loss, tokens = self.learner(x, hidden)
            contrast = self.learner.contrast(tokens)
            summary = self.learner.describe(x, tokens)
            segments = self.learner.describe_segments(x, tokens)
        self.optimizer.zero_grad(set_to_none=True)
        whole = self.config.rebuild * loss + self.config.contrast * contrast
        whole = whole + self.config.summary * summary
        whole = whole + self.config.segments * segments
        whole.backward()
        nn.utils.clip_grad_norm_(self.learner.parameters(), 1.0)
        self.optimizer.step()
        self.progress["step"] += 1
        self.progress["windows"] += len(series)
        self.progress["samples"] += series.size
        row = {
            "step": index + 1,
            "length": series.shape[1],
            "loss": float(loss.detach()),
            "contrast": float(contrast.detach()),
            "summary": float(summary.detach()),
            "segments": float(segments.detach()),
            "learning_rate": rate,
        }
        self.progress["seconds"] += time.monotonic() - started
        self.progress["cpu_seconds"] += time.process_time() - cpu
        return row | {"seconds": round(self.progress["seconds"], 3)}

    def validate(self) -> dict[str, float]:
        """Return the loss on held-out series of each family, the same series every time."""
        return held_out_losses(self.learner.moment, seed=self.config.seed)

    def save(self) -> None:
        """Save the state, then export the encoder as a plain MOMENT checkpoint."""
        save_state(self.out, self.learner, self.optimizer, self.progress)
        save_moment(self.learner.moment, self.out / CHECKPOINT)

    def _series(self, index: int) -> np.ndarray:
        """Return the series of a step (B, T): with a contrast, two views of each half apart."""
        c, rng = self.config, np.random.default_rng((MASKS, self.config.seed, index, 1))
        if c.views == "resized":
            stretch = float(log_uniform(rng, SHORTEST, LONGEST, (1,))[0])
            series = self.corpus.batch(index, stretch=stretch, rows=0.5)[0]
            return resized(series, rng, self.corpus.length(index))
        views = ("crops", "warps")[index % 2] if c.views == "both" else c.views
        coarse = rng.random() < c.coarse and c.coarse > 0
        longer = 1.5 if c.contrast > 0 else 1.0
        length = self.corpus.length(index)
        drawn = longer / (rng.uniform(2, min(8, length / 16)) if coarse else 1.0)
        series = self.corpus.batch(index, stretch=drawn)[0]
        if coarse:
            series = stretched(series, round(length * longer))
        if self.real is not None:
            series = with_real(series, self.real, rng)
        if rng.random() < c.kin and c.kin > 0:
            series = kin(series, rng)
        if c.contrast == 0:
            return series
        return crops(series, rng) if views == "crops" else warps(series, rng)

    def _hidden(self, rng: np.random.Generator, n: int, n_patches: int) -> Tensor:
        """Return which patches a step hides: random ones, or the last."""
        hidden = hide(rng, n, n_patches, self.config.hide_from, self.config.hide_to)
        if self.config.forecast > 0 and rng.random() < self.config.forecast:
            return hidden.sort(dim=1).values
        return hidden

    def _autocast(self) -> torch.autocast:
        dtype = getattr(torch, self.progress["precision"])
        return torch.autocast(self.device.type, torch.bfloat16, enabled=dtype == torch.bfloat16)

    def _start_or_resume(self, *, resume: bool) -> None:
        saved = read_progress(self.out)
        if (saved is not None) != resume:
            rule = "has no run to resume" if resume else "holds a run already: resume it"
            raise DataError(f"{self.out} {rule}, or give another output folder.")
        if saved is None:
            self.out.mkdir(parents=True, exist_ok=True)
            return
        for name in ("config", "corpus_hash"):
            if saved[name] != self.progress[name]:
                raise DataError(
                    f"The run in {self.out} was started with another {name}: {saved[name]}, "
                    f"now {self.progress[name]}. Give the same options, or another output folder."
                )
        self.progress = load_state(self.out, self.learner, self.optimizer)


def pretrain(
    config: PretrainConfig,
    out: Path,
    *,
    resume: bool = False,
    save_every: int = 100,
    validate_every: int = 500,
    on_row: Callable[[Run, Row], None] | None = None,
) -> Run:
    """Run (or resume) a pretraining run to its end; see `Run` for the files and errors.

    Parameters
    ----------
    save_every, validate_every : steps between saved states and between held-out losses
    on_row : called after each step with the run and the step's metrics
    """
    run = Run(config, out, resume=resume)
    with _metrics(out, run.progress["step"]) as write:
        while run.done < 1:
            row = run.step()
            if row["step"] == 1 or row["step"] % validate_every == 0 or run.done >= 1:
                row["held_out"] = run.validate()
            write(row)
            if row["step"] % save_every == 0 or run.done >= 1:
                run.save()
            if on_row is not None:
                on_row(run, row)
    return run


@contextmanager
def _metrics(out: Path, step: int) -> Iterator[Callable[[Row], None]]:
    """Append rows to the metrics file; rows after `step`, whose work was lost, are dropped."""
    path = out / METRICS_NAME
    kept = [row for row in read_metrics(out) if row["step"] <= step]
    with atomic_file(path) as partial:
        partial.write_text("".join(json.dumps(row) + "\n" for row in kept))
    with path.open("a", buffering=1) as file:
        yield lambda row: print(json.dumps(row), file=file)


def read_metrics(out: Path) -> list[Row]:
    """Return the metrics rows of a run; a last line torn by a kill is left out."""
    path = out / METRICS_NAME
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]
