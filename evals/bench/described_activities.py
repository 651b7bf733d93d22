"""Activities described from common knowledge, for measuring zero-shot by attributes.

Written before any window of these sets was measured; bands were then widened or narrowed on the
training sessions alone, where the first draft's confusion showed one that was wrong. The sensor's
place comes from each set's own documentation. Activities that the attributes cannot tell apart
(pouring from drinking, sitting down from standing up) are left out: the aim is for those that a
description separates.
"""

from __future__ import annotations

from collections.abc import Mapping

from tool_use_om.heads.classify.descriptions import ActivityDescription

DESCRIBED: Mapping[str, tuple[ActivityDescription, ...]] = {
    # Wrist, 10 Hz, m/s2 less gravity or not; whole sessions of 10 s.
    "basic-motions": (
        ActivityDescription(name="standing", intensity="still"),
        ActivityDescription(
            name="walking", cadence_hz=(0.7, 2.2), intensity="medium", regularity="strong"
        ),
        ActivityDescription(
            name="running", cadence_hz=(1.2, 3.5), intensity="high", regularity="strong"
        ),
        ActivityDescription(name="badminton", intensity="high", regularity="none"),
    ),
    # Wrist, 32 Hz, g. Walking swings the arm once a stride; brushing is three to six strokes a
    # second; lying on a bed or telephoning hardly moves the wrist.
    "hmp": (
        ActivityDescription(
            name="walk", cadence_hz=(0.7, 2.2), intensity_range=(0.12, 0.8), regularity="some"
        ),
        ActivityDescription(
            name="brush_teeth",
            cadence_hz=(2.0, 5.0),
            intensity_range=(0.05, 1.0),
            regularity="some",
        ),
        ActivityDescription(name="use_telephone", intensity_range=(0.0, 0.1), regularity="none"),
        ActivityDescription(
            name="drink_glass",
            cadence_hz=(0.1, 0.6),
            intensity_range=(0.08, 0.3),
            regularity="none",
        ),
    ),
    # Waist, 200 Hz, g. Steps are felt one by one at the waist.
    "sisfall": (
        ActivityDescription(
            name="walking slowly", cadence_hz=(1.2, 1.8), intensity_range=(0.08, 0.3)
        ),
        ActivityDescription(
            name="walking quickly", cadence_hz=(1.7, 2.4), intensity_range=(0.2, 0.6)
        ),
        ActivityDescription(
            name="jogging slowly", cadence_hz=(2.0, 2.8), intensity_range=(0.5, 1.2)
        ),
        ActivityDescription(
            name="jogging quickly", cadence_hz=(2.5, 3.6), intensity_range=(0.8, 2.5)
        ),
    ),
    # Wrist, 50 Hz, m/s2 (our own simulator).
    "synthetic-days": (
        ActivityDescription(name="resting", intensity="still"),
        ActivityDescription(name="walking", cadence_hz=(0.7, 1.15), intensity="medium"),
        ActivityDescription(name="running", cadence_hz=(1.2, 3.5), intensity="high"),
        ActivityDescription(name="cycling", cadence_hz=(1.0, 1.75), intensity="medium"),
    ),
}
