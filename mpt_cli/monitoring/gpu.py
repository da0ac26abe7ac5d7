"""Load of NVIDIA GPUs, as reported by NVIDIA's library."""

from __future__ import annotations


def gpu_percent() -> float | None:
    """Return the load of the busiest NVIDIA GPU, 0 to 100; None without one, or without nvidia-ml-py."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        return max((float(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu) for handle in handles), default=None)
    except pynvml.NVMLError:
        return None
    finally:
        pynvml.nvmlShutdown()
