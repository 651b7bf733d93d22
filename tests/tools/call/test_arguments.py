from __future__ import annotations

import re

import pytest

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.heads.registry import head_specs
from tool_use_om.tokenizers.windows.config import TokenizerConfig
from tool_use_om.tools.registry import TOOLS, tool_def

NAMES = [
    "list_datasets",
    "show_session_stats",
    "show_channel_stats",
    "measure_amounts",
    "describe_signal",
    "select_channels",
    "filter_by_time",
    "plot_sessions",
    "check_data",
    "select_tokenizer",
    "configure_tokenizer",
    "select_channels_for_encoding",
    "select_task_head",
    "configure_head",
    "run_task",
    "compare_heads",
    "compare_event_models",
    "interpret_results",
    "request_labels",
]


def test_registry_holds_the_named_tools_in_order() -> None:
    """Tool names are the contract that traces, training rows and evals share."""
    assert list(TOOLS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_schema_is_short_and_described(name: str) -> None:
    """Every argument says what it is, and no schema is longer than small models can take."""
    schema = tool_def(name).schema()
    assert schema["additionalProperties"] is False
    assert all(p["description"] and "type" in p for p in schema["properties"].values())
    assert len(str(schema)) < 3400


@pytest.mark.parametrize("name", list(TOOLS))
def test_schema_names_nothing_outside_itself(name: str) -> None:
    """No schema refers to a model elsewhere: hosts that resolve no references read it, too."""
    told = str(tool_def(name).schema())
    assert not any(word in told for word in ("$ref", "$defs", "prefixItems"))


def test_schema_of_descriptions_shows_their_fields() -> None:
    """A model that is shown run_task sees what an activity may be described by."""
    items = tool_def("run_task").schema()["properties"]["descriptions"]["items"]
    assert items["required"] == ["name"]
    assert items["properties"]["cadence_hz"]["items"] == {"type": "number"}
    assert items["properties"]["regularity"]["enum"] == ["none", "some", "strong"]


def test_check_arguments_takes_one_name_for_a_list() -> None:
    """Models write a string where a list is meant: it is read as names."""
    checked = tool_def("select_channels").checked({"channels": "acc, gyro"})
    assert checked.model_dump()["channels"] == ["acc", "gyro"]


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("run_task", {"horizonn": 5}, "did you mean 'horizon_s'"),
        ("run_task", {"k": 100}, "'k'.*less than or equal to 50"),
        ("run_task", {"horizon_s": -1}, "'horizon_s'.*greater than 0"),
        ("select_channels", {}, "'channels' is required"),
        ("select_task_head", {"task": "cluster"}, "'classify', 'forecast'"),
        ("filter_by_time", {"start_s": -3}, "greater than or equal to 0"),
        ("show_channel_stats", {"statistic": "entropy"}, "'mean', 'std'"),
        ("configure_tokenizer", {"window_s": float("nan")}, "'window_s'.*finite number"),
        ("configure_tokenizer", {"resolutions": 3}, "'resolutions'.*less than or equal to 2"),
    ],
)
def test_check_arguments_says_what_to_mend(
    name: str, args: dict[str, object], message: str
) -> None:
    """A bad argument names itself, the rule, and the arguments there are."""
    with pytest.raises(DataError, match=message):
        tool_def(name).checked(args)


NO_NUMBERS = (float("nan"), float("inf"), float("-inf"), "NaN", "Infinity", 10**400)


@pytest.mark.parametrize("name", TOOLS)
def test_no_number_of_a_model_is_taken_that_is_none(name: str) -> None:
    """NaN and Infinity in any argument of any tool, alone, in a list or in a mapping."""
    model = tool_def(name).args_model
    for field, info in model.model_fields.items():
        if not re.search(r"\b(int|float)\b", str(info.annotation)):
            continue
        for value in NO_NUMBERS:
            with pytest.raises(DataError, match=field):
                tool_def(name).checked({field: value})


@pytest.mark.parametrize("value", [*NO_NUMBERS, [float("nan")], {"x": float("inf")}])
def test_no_parameter_of_a_head_is_taken_that_is_no_number(value: object) -> None:
    """Its parameters are free in form: what is not finite is refused there, too."""
    for spec in head_specs():
        for name in [p.name for p in spec.params if p.kind in ("int", "float")]:
            with pytest.raises(DataError, match=name):
                spec.resolve({name: value})


def test_configure_tokenizer_asks_for_what_the_config_holds() -> None:
    """One record says how windows are cut: no argument stands beside it, none is missing."""
    asked = tool_def("configure_tokenizer").args_model
    found = {"bridge_s", "join_s"}  # in the data, never asked for
    told = [name for name in TokenizerConfig.model_fields if name not in found]
    assert list(asked.model_fields) == told
    assert asked().model_dump(exclude_none=True) == {}
    given = {"window_s": 2, "context_features": "log_std, mean", "resolutions": 2}
    kept = tool_def("configure_tokenizer").checked(given).model_dump(exclude_none=True)
    assert kept["context_features"] == ("mean", "log_std")


def test_tool_def_lists_the_nearest_when_unknown() -> None:
    """An unknown tool is answered with the nearest names."""
    with pytest.raises(NotFoundError, match="Did you mean 'run_task'"):
        tool_def("run_tasks")
