"""The token cache: same tokens, less work; damage and rivals do no harm."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.workspace import Workspace
from tool_use_om.tokenizers.cache.cache import TokenCache, read_tokens
from tool_use_om.tokenizers.moment.model import Moment
from tool_use_om.tokenizers.spec import TokenizerSpec
from tool_use_om.tokenizers.tokenizer import Tokenizer
from tool_use_om.tokenizers.tokens import Tokens
from tool_use_om.tokenizers.windows.config import TokenizerConfig
from tool_use_om.tokenizers.windows.windows import cut_windows

CUT = TokenizerConfig(window_s=2, stride_s=1)


@pytest.fixture
def dataset(make_dataset: Callable[..., DataSet], even: Callable[..., tuple]) -> DataSet:
    return make_dataset(
        {n: {"accelerometer": even(16, 4 + i, 2, seed=i)} for i, n in enumerate("abc")}
    )


@pytest.fixture
def cache(tmp_path: Path) -> TokenCache:
    return TokenCache(Workspace.at(tmp_path / "ws"))


def files(cache: TokenCache) -> list[Path]:
    return sorted(cache.folder.rglob("*.safetensors"))


def same(one: Tokens, other: Tokens) -> bool:
    arrays = ("values", "mask", "start_s", "window_start_s", "context")
    facts = ("patch_s", "window_s", "channels", "session_ids", "context_names")
    return all(np.allclose(getattr(one, n), getattr(other, n), atol=1e-6) for n in arrays) and all(
        getattr(one, n) == getattr(other, n) for n in facts
    )


def test_cache_returns_what_encode_returns(
    cache: TokenCache, tokenizer: Tokenizer, dataset: DataSet
) -> None:
    """Fresh or kept, the tokens are those of cutting and encoding, sessions in the asked order."""
    direct = tokenizer.encode(cut_windows(dataset, ["b", "a"], "all", CUT))
    fresh = cache.encode(tokenizer, dataset, ["b", "a"], "all", CUT)
    kept = cache.encode(tokenizer, dataset, ["b", "a"], "all", CUT)
    assert same(direct, fresh)
    assert same(direct, kept)
    assert (cache.hits, cache.misses) == (2, 2)


def test_cache_encodes_only_what_it_lacks(
    cache: TokenCache, tokenizer: Tokenizer, dataset: DataSet
) -> None:
    """Sessions known from another call are not encoded again; a hit moves no signal."""
    cache.encode(tokenizer, dataset, ["a", "b"], "all", CUT)
    cache.encode(tokenizer, dataset, ["b", "c", "c"], "all", CUT)
    assert (cache.hits, cache.misses) == (1, 3)
    assert len(files(cache)) == 3


@pytest.mark.parametrize(
    "other",
    [
        TokenizerConfig(window_s=2.5, stride_s=1),
        TokenizerConfig(window_s=2, stride_s=0.5),
        TokenizerConfig(window_s=2, stride_s=1, target_rate_hz=8),
    ],
)
def test_cache_tells_cuts_apart(
    cache: TokenCache, tokenizer: Tokenizer, dataset: DataSet, other: TokenizerConfig
) -> None:
    """Another window, stride or rate is another entry."""
    cache.encode(tokenizer, dataset, ["a"], "all", CUT)
    got = cache.encode(tokenizer, dataset, ["a"], "all", other)
    assert same(got, tokenizer.encode(cut_windows(dataset, ["a"], "all", other)))
    assert cache.hits == 0


def test_cache_tells_content_apart(
    cache: TokenCache,
    tokenizer: Tokenizer,
    dataset: DataSet,
    small_spec: TokenizerSpec,
    small_moment: Moment,
    make_dataset: Callable[..., DataSet],
    even: Callable[..., tuple],
) -> None:
    """Other channels, range, data or weights are never answered from an old entry."""
    cache.encode(tokenizer, dataset, ["a"], "all", CUT)
    cache.encode(tokenizer, dataset, ["a"], ["accelerometer.y"], CUT)
    cache.encode(tokenizer, dataset, ["a"], "all", CUT, ranges={"a": (0, 3)})
    changed = make_dataset({"a": {"accelerometer": even(16, 4, 2, seed=9)}}, name="other")
    cache.encode(tokenizer, changed, ["a"], "all", CUT)
    with torch.no_grad():
        small_moment.head.linear.bias += 1
    cache.encode(Tokenizer(small_spec, small_moment), dataset, ["a"], "all", CUT)
    assert (cache.hits, cache.misses) == (0, 5)


def test_cache_leaves_context_out_when_not_wanted(
    cache: TokenCache, tokenizer: Tokenizer, dataset: DataSet
) -> None:
    """context_features=False gives no context, from the same entry."""
    plain = TokenizerConfig(window_s=2, stride_s=1, context_features=False)
    assert cache.encode(tokenizer, dataset, ["a"], "all", plain).context.shape[-1] == 0
    assert cache.encode(tokenizer, dataset, ["a"], "all", CUT).context.shape[-1] == 3
    assert cache.hits == 1


@pytest.mark.parametrize("damage", ["cut", "empty", "noise"])
def test_cache_ignores_a_torn_file(
    cache: TokenCache, tokenizer: Tokenizer, dataset: DataSet, damage: str
) -> None:
    """A damaged entry is encoded again and mended."""
    good = cache.encode(tokenizer, dataset, ["a"], "all", CUT)
    (path,) = files(cache)
    whole = path.read_bytes()
    torn = {"cut": whole[: len(whole) // 2], "empty": b"", "noise": b"\xff" * 200}
    path.write_bytes(torn[damage])
    assert same(cache.encode(tokenizer, dataset, ["a"], "all", CUT), good)
    assert cache.misses == 2
    cache.encode(tokenizer, dataset, ["a"], "all", CUT)
    assert cache.hits == 1


def test_cache_stays_within_its_size(
    tmp_path: Path, tokenizer: Tokenizer, dataset: DataSet
) -> None:
    """The least recently used entries go first; what is asked for is returned all the same."""
    cache = TokenCache(Workspace.at(tmp_path / "ws"), max_mb=0.025)
    for session in ("a", "b", "a", "c"):
        assert len(cache.encode(tokenizer, dataset, [session], "all", CUT)) >= 3
    assert sum(p.stat().st_size for p in files(cache)) <= 0.025 * 2**20
    hits = cache.hits
    cache.encode(tokenizer, dataset, ["c"], "all", CUT)
    assert cache.hits == hits + 1


def test_cache_clears_what_killed_writers_left(
    cache: TokenCache, tokenizer: Tokenizer, dataset: DataSet
) -> None:
    """A partial file of an hour ago goes; a fresh one may still have its writer and stays."""
    (cache.folder / "aa").mkdir()
    old, new = (cache.folder / "aa" / f".{n}.partial" for n in ("old", "new"))
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    cache.encode(tokenizer, dataset, ["a"], "all", CUT)
    assert not old.exists()
    assert new.exists()


def test_cache_leaves_nothing_half_written(
    cache: TokenCache, tokenizer: Tokenizer, dataset: DataSet
) -> None:
    """After an error there is no file, and unknown names are named."""
    with pytest.raises(DataError, match="window_s must be"):
        cache.encode(tokenizer, dataset, ["a"], "all", TokenizerConfig(window_s=100))
    with pytest.raises(NotFoundError, match="session"):
        cache.encode(tokenizer, dataset, ["nobody"], "all", CUT)
    with pytest.raises(DataError, match="at least one session"):
        cache.encode(tokenizer, dataset, [], "all", CUT)
    assert files(cache) == []


def test_cache_answers_alike_for_an_empty_session(
    cache: TokenCache,
    tokenizer: Tokenizer,
    make_dataset: Callable[..., DataSet],
    even: Callable[..., tuple],
) -> None:
    """A session without a whole patch is masked beside others, and an error alone, kept or not."""
    time_s, values = even(16, 4, 2)
    empty = np.full_like(values, np.nan)
    dataset = make_dataset(
        {"a": {"accelerometer": (time_s, values)}, "b": {"accelerometer": (time_s, empty)}}
    )
    cache.encode(tokenizer, dataset, ["a"], "all", CUT)
    for _ in range(2):
        both = cache.encode(tokenizer, dataset, ["a", "b"], "all", CUT)
        assert both.mask.any(axis=(1, 2)).tolist() == [True] * 3 + [False] * 3
        with pytest.raises(DataError, match="without a gap"):
            cache.encode(tokenizer, dataset, ["b"], "all", CUT)
        alone = cache.encode(tokenizer, dataset, ["b"], "all", CUT, allow_empty=True)
        assert not alone.mask.any()


def test_cache_counts_its_hits_over_all_runs(
    cache: TokenCache, tokenizer: Tokenizer, dataset: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ratio is that of every object on the folder; damage and compaction lose no whole line."""
    workspace = Workspace(cache.folder.parent)
    assert (cache.status().hit_ratio, cache.status().entries) == (None, 0)
    cache.encode(tokenizer, dataset, ["a", "b"], "all", CUT)
    TokenCache(workspace).encode(tokenizer, dataset, ["a", "b", "c"], "all", CUT)
    found = TokenCache(workspace, max_mb=7).status()
    assert (found.hits, found.misses, found.hit_ratio) == (2, 3, 0.4)
    assert (found.entries, found.max_mb) == (3, 7)
    assert found.size_mb == pytest.approx(sum(p.stat().st_size for p in files(cache)) / 2**20)
    with (cache.folder / "uses").open("ab") as file:
        file.write(b"\xff torn\n1\n")
    monkeypatch.setattr("tool_use_om.tokenizers.cache.status._USES_BYTES", 1)
    cache.encode(tokenizer, dataset, ["a"], "all", CUT)
    assert (cache.folder / "uses").read_text() == "3 3\n"


@pytest.mark.parametrize("bad", ["0", "-1", "much", "nan", "inf"])
def test_cache_refuses_a_bound_that_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    """The size bound comes from the environment and must be a number above 0."""
    monkeypatch.setenv("TUOM_TOKEN_CACHE_MB", "12.5")
    assert TokenCache(Workspace.at(tmp_path)).max_mb == 12.5
    monkeypatch.setenv("TUOM_TOKEN_CACHE_MB", bad)
    with pytest.raises(DataError, match=r"TUOM_TOKEN_CACHE_MB must be a number of megabytes above"):
        TokenCache(Workspace.at(tmp_path))


def test_cache_keeps_sessions_as_it_goes(
    cache: TokenCache, tokenizer: Tokenizer, dataset: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Much signal is encoded and kept in parts: what was done before an error is not lost."""
    monkeypatch.setattr("tool_use_om.tokenizers.cache.cache.SESSIONS_AT_ONCE_S", 5.0)
    whole = tokenizer.encode(cut_windows(dataset, ["a", "b", "c"], "all", CUT))
    seen: list[dict] = []

    def stop(event: dict) -> None:
        seen.append(event)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.encode(tokenizer, dataset, ["a", "b", "c"], "all", CUT, progress=stop)
    assert seen == [{"phase": "encode", "done": 2, "total": 3, "unit": "sessions"}]
    assert len(files(cache)) == 2
    assert same(cache.encode(tokenizer, dataset, ["a", "b", "c"], "all", CUT), whole)
    assert (cache.hits, cache.misses) == (2, 1)


@pytest.mark.parametrize(
    "other",
    [{"patch_stride_s": 0.25}, {"super_s": 0.5}, {"fusion": "per_modality"}, {"patch_s": 1}],
)
def test_cache_tells_any_signal_apart(
    cache: TokenCache, tokenizer: Tokenizer, dataset: DataSet, other: dict[str, object]
) -> None:
    """Patches, super-patches and fusion are part of the key, and come back as they were encoded."""
    config = TokenizerConfig.model_validate({"window_s": 2, "stride_s": 1, **other})
    cache.encode(tokenizer, dataset, ["a"], "all", CUT)
    fresh = cache.encode(tokenizer, dataset, ["a"], "all", config)
    assert cache.hits == 0
    assert same(fresh, cache.encode(tokenizer, dataset, ["a"], "all", config))
    assert (cache.hits, fresh.units) == (1, ("m/s^2",) * 2)


KILLED = """
import sys
import numpy as np
from pathlib import Path
from tool_use_om.tokenizers.cache.cache import write_tokens
from tool_use_om.tokenizers.tokens import Tokens
n = 40
tokens = Tokens(
    values=np.ones((n, 2, 64, 192), np.float32), mask=np.ones((n, 2, 64), bool),
    start_s=np.zeros((n, 64)), patch_s=1.0, channels=("m.x", "m.y"), session_ids=("a",) * n,
    window_start_s=np.zeros(n), window_s=64.0, context=np.zeros((n, 2, 0), np.float32),
    context_names=(), units=("g", "g"),
)
turn = 0
while True:
    write_tokens(tokens, Path(sys.argv[1]) / "aa" / f"{turn % 5}.safetensors")
    turn += 1
    if turn == 1:
        print("ready", flush=True)
"""


def test_cache_holds_no_torn_file_after_a_kill(cache: TokenCache) -> None:
    """SIGKILL in the middle of writing, again and again: every file that has a name is whole."""
    rng = np.random.default_rng(0)
    for _ in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(cache.folder)], stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(float(rng.uniform(0.02, 0.2)))
        writer.kill()
        writer.wait()
        writer.stdout.close()
        for path in files(cache):
            tokens = read_tokens(path)
            assert tokens is not None
            assert tokens.values.all()
    assert cache.status().entries >= 1


WRITER = """
import sys
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.workspace import Workspace
from tool_use_om.tokenizers.cache.cache import TokenCache
from tool_use_om.tokenizers.windows.config import TokenizerConfig
from tool_use_om.tokenizers.registry import load_tokenizer
dataset = DataSet.open(sys.argv[1])
tokenizer = load_tokenizer("moment-tiny")
for turn in range(4):
    cache = TokenCache(Workspace.at(sys.argv[2]), max_mb=0.02)
    tokens = cache.encode(
        tokenizer, dataset, ["a", "b", "c"], "all", TokenizerConfig(window_s=2, stride_s=1)
    )
    print(round(float(tokens.values.sum(dtype="float64")), 2))
"""


def test_cache_is_safe_under_two_processes(tmp_path: Path, dataset: DataSet) -> None:
    """Two processes that write, read and evict the same entries both get the right tokens."""
    command = [sys.executable, "-c", WRITER, str(dataset.path), str(tmp_path / "shared")]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=250) for process in running]
    assert [process.returncode for process in running] == [0, 0], outputs
    assert len({line for out, _ in outputs for line in out.split()}) == 1
    assert not list((tmp_path / "shared").rglob("*.partial"))
