"""`tuom bench signal`: what rates, overlap and hours cost the tokenizer, and what they yield."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tool_use_om.data.show.markdown import table

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.tokenizers.tokens import Tokens

TOKENIZER = "moment-tiny"
SET, LABELS = "synthetic-days", "activity"
RATES_CUTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("all at 50 Hz", {"target_rate_hz": 50}),
    ("all at 128 Hz", {"target_rate_hz": 128}),
    ("each at its own", {"fusion": "per_modality"}),
    ("each at its own, at most 50 Hz", {"fusion": "per_modality", "target_rate_hz": 50}),
)
OVERLAP_CUTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("no overlap", {}),
    ("a patch every half patch", {"patch_s": 0.16, "patch_stride_s": 0.08}),
    ("a patch every quarter patch", {"patch_s": 0.16, "patch_stride_s": 0.04}),
)
CONTEXT_CUTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("none", {"context_features": False}),
    ("mean, std, log_std (default)", {}),
    ("and log_rate", {"context_features": ("mean", "std", "log_std", "log_rate")}),
)
ACCELEROMETER = ("accelerometer.x", "accelerometer.y", "accelerometer.z")
HEART = ("ecg.lead", "heart.rate")
WINDOW_S = 4.0
LONG_RATE_HZ, SUPER_S = 32.0, 60.0


def run(root: Path, hours: Sequence[float]) -> dict[str, Any]:
    """Measure everything; `root` is a workspace that the simulated set is made in."""
    from tool_use_om.data.catalog import open_dataset
    from tool_use_om.data.workspace import Workspace

    dataset = open_dataset(SET, Workspace.at(root))
    return {
        "rates": [yields(dataset, n, c, HEART) for n, c in RATES_CUTS],
        "overlap": [yields(dataset, n, c, ACCELEROMETER) for n, c in OVERLAP_CUTS],
        "context": [
            yields(dataset, n, {"target_rate_hz": 50, **c}, HEART) for n, c in CONTEXT_CUTS
        ],
        "long": [long_session(h) for h in hours],
    }


def yields(
    dataset: DataSet, name: str, cut: dict[str, Any], channels: Sequence[str]
) -> dict[str, Any]:
    """Encode the training sessions; score a linear probe on people left out in turn."""
    from tool_use_om.heads.numeric.folds import group_folds
    from tool_use_om.heads.registry import make_head
    from tool_use_om.tokenizers.encode.context import with_context
    from tool_use_om.tokenizers.encode.encode import encode_windows
    from tool_use_om.tokenizers.registry import load_tokenizer
    from tool_use_om.tokenizers.windows.config import TokenizerConfig

    config = TokenizerConfig(window_s=WINDOW_S, stride_s=WINDOW_S, **cut)
    ids = dataset.split_sessions("train")
    tokenizer = load_tokenizer(TOKENIZER)
    began = time.process_time()
    tokens = encode_windows(tokenizer, dataset, ids, channels, config)
    seconds = time.process_time() - began
    tokens = with_context(tokens, dataset, config.context_names)
    tokens, labels, people = _labelled(dataset, tokens)
    codes = np.unique(labels, return_inverse=True)[1]
    right = []
    for train, held in group_folds(codes, people, 6):
        head: Any = make_head("linear_probe")
        head.fit(tokens.select(train), labels[train].tolist(), people[train].tolist())
        right.append(head.predict(tokens.select(held)) == labels[held])
    scores = [float(r.mean()) for r in right]
    return {
        "name": name,
        "channels": len(channels),
        "encode_cpu_s": seconds,
        "windows": len(tokens),
        "patches": int(tokens.mask.shape[2]),
        "accuracy": float(np.concatenate(right).mean()),
        "fold_std": float(np.std(scores)),
    }


def long_session(hours: float) -> dict[str, Any]:
    """Write, encode and summarise one session of noise, in a process of its own."""
    code = "from tool_use_om.evals.bench.signal import stage; stage()"
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code, str(hours)], capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def stage() -> None:
    """Encode a session of sys.argv[1] hours and print what it took (the other process's part)."""
    import resource

    from tool_use_om.tokenizers.encode.hours import encode_track
    from tool_use_om.tokenizers.registry import load_tokenizer
    from tool_use_om.tokenizers.windows.stream import SessionStream

    hours = float(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        dataset = _noise(Path(folder) / "long", hours * 3600)
        tokenizer = load_tokenizer(TOKENIZER)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        stream = SessionStream(
            dataset, "s", dataset.manifest.channel_ids, LONG_RATE_HZ, 0.0, dataset.duration_of("s")
        )
        began = time.process_time()
        track = encode_track(tokenizer, stream, super_s=SUPER_S)
        seconds = time.process_time() - began
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    row = {"hours": hours, "super_patches": len(track), "encode_cpu_s": seconds}
    print(json.dumps({**row, "before_mb": before / 1024, "peak_mb": after / 1024}))


def render(found: dict[str, Any], command: str) -> str:
    """Return the measurements as Markdown tables under the command that prints them."""
    parts = [f"`{command}`"]
    for kind, title in (("rates", "rates"), ("overlap", "patches"), ("context", "context")):
        rows = [
            (
                r["name"],
                r["channels"],
                f"{r['encode_cpu_s']:.1f} s",
                r["patches"],
                f"{r['accuracy']:.3f} ± {r['fold_std']:.3f}",
            )
            for r in found[kind]
        ]
        parts.append(table((title, "channels", "CPU to encode", "patches", "accuracy"), rows, "lr"))
    head = ("session", "CPU to encode", "super-patches", "memory before", "at most")
    long = [
        (
            f"{r['hours']:g} h",
            f"{r['encode_cpu_s']:.0f} s",
            r["super_patches"],
            f"{r['before_mb']:.0f} MB",
            f"{r['peak_mb']:.0f} MB",
        )
        for r in found["long"]
    ]
    return "\n\n".join([*parts, table(head, long, "r")])


def _labelled(dataset: DataSet, tokens: Tokens) -> tuple[Tokens, np.ndarray, np.ndarray]:
    """The windows with a label, their labels and their people."""
    from tool_use_om.data.format.labels import window_labels

    labels = window_labels(
        dataset.labels(label_set=LABELS), tokens.session_ids, tokens.window_start_s,
        tokens.window_start_s + tokens.window_s, LABELS,
    )  # fmt: skip
    seen = tokens.mask.any(axis=(1, 2))
    kept = np.flatnonzero(seen & np.array([label is not None for label in labels]))
    subject: dict[str, str] = dict(
        dataset.sessions()[["session_id", "subject_id"]].itertuples(index=False)
    )
    people = np.array([subject[s] for s in tokens.session_ids], dtype=np.str_)
    return tokens.select(kept), labels[kept].astype(str), people[kept]


def _noise(target: Path, duration_s: float) -> DataSet:
    """Write one session of one channel of noise, hour by hour the same."""
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.data.format.schema import Channel, Modality
    from tool_use_om.data.format.writer import DataSetWriter

    time_s = np.arange(round(duration_s * LONG_RATE_HZ)) / LONG_RATE_HZ
    hour = np.random.default_rng(0).normal(size=(round(3600 * LONG_RATE_HZ), 1))
    values = np.tile(hour, (-(-len(time_s) // len(hour)), 1))[: len(time_s)].astype(np.float32)
    modality = Modality(
        name="sensor", rate_hz=LONG_RATE_HZ, channels=(Channel(name="x", unit="g"),)
    )
    with DataSetWriter(
        target, name="long", title="", licence="", source="", synthetic=True,
        modalities=(modality,), split_rule="none", debug=False,
    ) as writer:  # fmt: skip
        writer.add_session("s", subject_id="p", split="train", signals={"sensor": (time_s, values)})
    return DataSet.open(target)
