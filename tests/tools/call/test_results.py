from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.results import ResultStore, escape, to_builtin


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    return ResultStore(Workspace.at(tmp_path))


def test_put_names_a_result_by_its_content(store: ResultStore) -> None:
    """The same data get the same id, other data another, whatever the seconds taken."""
    first = store.put("t", {"a": 1}, timing={"fit_s": 1.0})
    again = store.put("t", {"a": 1}, timing={"fit_s": 2.0})
    other = store.put("t", {"a": 2}, timing={"fit_s": 1.0})
    assert first.id == again.id != other.id
    assert store.resolve(first.id, "/timing/fit_s") == 2.0


def test_put_leaves_nothing_when_a_figure_fails(store: ResultStore, tmp_path: Path) -> None:
    """A result is stored whole or not at all."""

    def broken(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        store.put("t", {"a": 1}, files={"x.png": broken})
    assert not list((tmp_path / "results").iterdir())


def test_put_lists_figures_relative_to_the_workspace(store: ResultStore, tmp_path: Path) -> None:
    """An artifact's paths hold wherever the workspace lies."""
    files = {"x.figure.json": lambda p: p.write_text("{}"), "t.parquet": lambda p: p.touch()}
    result = store.put("t", {}, files=files)
    assert result.artifact["figures"] == [f"results/{result.id}/x.figure.json"]
    assert (tmp_path / result.artifact["figures"][0]).is_file()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=8,
    )
)
def test_to_builtin_gives_strict_json(value: object) -> None:
    """Whatever goes in comes out as JSON without NaN or infinity."""
    assert json.loads(json.dumps(to_builtin(value), allow_nan=False)) == to_builtin(value)


def test_to_builtin_converts_numpy() -> None:
    """Arrays become lists, numpy scalars numbers, NaN null."""
    given_ = {"a": np.array([1.5, np.nan]), "b": np.int64(3), "c": np.bool_(True), "d": (1, 2)}
    assert to_builtin(given_) == {"a": [1.5, None], "b": 3, "c": True, "d": [1, 2]}


def test_to_builtin_refuses_objects() -> None:
    """What JSON cannot hold is an error, not text."""
    with pytest.raises(DataError, match="JSON values only"):
        to_builtin({"x": object()})


def test_resolve_follows_pointers_with_escapes(store: ResultStore) -> None:
    """A pointer of RFC 6901 leads through objects, lists and escaped keys."""
    result = store.put("t", {"rows": [{"a/b": 1}, {"m~n": 2}]})
    assert store.resolve(result.id, f"/rows/0/{escape('a/b')}") == 1
    assert store.resolve(result.id, f"/rows/1/{escape('m~n')}") == 2


@pytest.mark.parametrize("pointer", ["/rows/5", "/rows/-1", "/nope", "/n/deeper", "rows"])
def test_resolve_says_what_is_there_when_a_pointer_leads_nowhere(
    store: ResultStore, pointer: str
) -> None:
    """A wrong pointer is an error a model can mend."""
    result = store.put("t", {"rows": [1], "n": 3})
    with pytest.raises(NotFoundError, match=r"there is|no JSON pointer"):
        store.resolve(result.id, pointer)


@pytest.mark.parametrize("result_id", ["../../etc/passwd", "r-xyz", "", "r-0123456789ab"])
def test_get_refuses_what_is_no_stored_id(store: ResultStore, result_id: str) -> None:
    """An id that was never given, or is a path, finds nothing."""
    with pytest.raises(NotFoundError, match="Unknown result"):
        store.get(result_id)


def test_get_says_so_when_the_file_is_damaged(store: ResultStore) -> None:
    """A truncated result is named as damaged."""
    result = store.put("t", {"a": 1})
    (result.folder / "result.json").write_text('{"a": ')
    with pytest.raises(DataError, match="damaged"):
        store.get(result.id)


def test_an_unknown_id_is_told_without_a_near_one(store: ResultStore) -> None:
    """A store holds the results of other people's runs: their ids are not handed out."""
    kept = store.put("t", {"a": 1}).id
    with pytest.raises(NotFoundError) as told:
        store.get(kept[:-1] + ("0" if kept[-1] != "0" else "1"))
    assert kept not in str(told.value)


def test_put_draws_in_one_thread_whoever_asks(store: ResultStore) -> None:
    """A server's many threads do not each open the fonts."""
    drew: set[int] = set()

    def draw(path: Path) -> None:
        drew.add(threading.get_ident())
        path.touch()

    def put(number: int) -> None:
        store.put("t", {"n": number}, files={"x.png": draw})

    threads = [threading.Thread(target=put, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(drew) == 1
