"""Which streams of ActionSense's HDF5 files are converted, and what their columns are."""

from __future__ import annotations

from dataclasses import dataclass

from tool_use_om.data.format.schema import Channel, Modality

XYZ = ("x", "y", "z")
EMG = tuple(f"emg{i}" for i in range(1, 9))
_SPINE = ("L5S1", "L4L3", "L1T12", "T9T8", "T1C7", "C1Head")
_ARM = ("T4Shoulder", "Shoulder", "Elbow", "Wrist")
_LEG = ("Hip", "Knee", "Ankle", "BallFoot")
# the 22 body joints in the order of the tracking suit's own software (Xsens MVN)
JOINTS = (*_SPINE, *(f"{s}{j}" for part in (_ARM, _LEG) for s in ("Right", "Left") for j in part))
ANGLES = tuple(f"{joint}_{axis}" for joint in JOINTS for axis in XYZ)


@dataclass(frozen=True)
class Stream:
    """Where a modality is in the file: device/stream/{data, time_s}."""

    path: str
    modality: Modality


def _stream(path: str, name: str, rate_hz: float, names: tuple[str, ...], unit: str) -> Stream:
    channels = tuple(Channel(name=n, unit=unit) for n in names)
    return Stream(path, Modality(name=name, rate_hz=rate_hz, channels=channels))


STREAMS = (
    _stream("myo-left/emg", "emg_left", 200.0, EMG, "a.u."),
    _stream("myo-left/acceleration_g", "accelerometer_left", 50.0, XYZ, "g"),
    _stream("myo-left/angular_velocity_deg_s", "gyroscope_left", 50.0, XYZ, "deg/s"),
    _stream("myo-right/emg", "emg_right", 200.0, EMG, "a.u."),
    _stream("myo-right/acceleration_g", "accelerometer_right", 50.0, XYZ, "g"),
    _stream("myo-right/angular_velocity_deg_s", "gyroscope_right", 50.0, XYZ, "deg/s"),
    _stream("eye-tracking-gaze/position", "gaze", 120.0, ("x", "y"), "1"),
    _stream("xsens-joints/rotation_xzy_deg", "joint_angles", 60.0, ANGLES, "deg"),
)
