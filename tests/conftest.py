"""The whole suite runs on the cores there are; what is named on the command line runs alone, here and now."""

import os

import pytest

_MOST = 4


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    return 0 if config.invocation_params.args else min(os.cpu_count() or 1, _MOST)
