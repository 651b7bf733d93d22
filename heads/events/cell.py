"""One model fitted on one event and asked for its probabilities, with what that cost."""

from __future__ import annotations

import time
from typing import Any

from tool_use_om.data.errors import DataError
from tool_use_om.heads.events.registry import event_model
from tool_use_om.heads.events.windows import EventData


def fit_and_say(data: EventData, name: str, *, parameters: int, seed: int) -> dict[str, Any]:
    """Fit a registered model and let it say P(event) of the validation and test windows.

    Returns
    -------
    JSON values; "error" says why nothing was fitted, None where all went well
    """
    row: dict[str, Any] = {"model": name, "parameters": parameters, "seed": seed}
    model = event_model(name, seed=seed, parameters=parameters)
    started, cpu = time.perf_counter(), time.process_time()
    try:
        model.fit(data.train.windows, data.train.y, data.validation)
        fitted, fitted_cpu = time.perf_counter(), time.process_time()
        said = {
            "validation": model.predict_proba(data.validation.windows),
            "test": model.predict_proba(data.test.windows),
        }
    except (DataError, ImportError) as error:
        return {**row, "error": str(error)}
    return {
        **row,
        "error": None,
        "n_parameters": model.n_parameters,
        "megabytes": 4e-6 * model.n_parameters,
        "fit_s": round(fitted - started, 3),
        "fit_cpu_s": round(fitted_cpu - cpu, 3),
        "predict_s": round(time.perf_counter() - fitted, 3),
        "curve": [{k: round(v, 5) for k, v in step.items()} for step in model.curve],
        **{part: [round(float(p), 6) for p in values] for part, values in said.items()},
    }
