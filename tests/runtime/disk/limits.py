"""What the operating system itself refuses: files beyond a size, and what is another user's."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def files_up_to(size: int) -> Generator[None]:
    """No file of this process grows beyond so many bytes."""
    if sys.platform == "win32":
        raise NotImplementedError
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def another_user() -> Generator[None]:
    """Who may look at this user's files and not change them; where that takes root's word, root gives it."""
    if sys.platform == "win32":
        raise NotImplementedError
    root = os.geteuid() == 0
    if root:
        os.seteuid(65_534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
