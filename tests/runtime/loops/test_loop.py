import asyncio
import contextvars
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from textwrap import dedent
from typing import Any, cast

import aiosqlite
import pytest

from runtime.loops.loop import MissingLibrary, qt_loop, run
from runtime.loops.qt import QtLoop

ROOT = Path(__file__).parents[3]
ON_UNIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
ON_WINDOWS = pytest.mark.skipif(sys.platform != "win32", reason="this is how Windows does it")


@pytest.fixture(params=[False, True], ids=["sleeping", "spinning"])
def qt(request: pytest.FixtureRequest) -> Iterator[QtLoop]:
    loop = qt_loop(spin=request.param)
    assert isinstance(loop, QtLoop)
    yield loop
    loop.close()


def test_callbacks_run_first_in_first_out(qt: QtLoop) -> None:
    order: list[int] = []

    def step(number: int) -> None:
        order.append(number)
        if number < 1000:
            qt.call_soon(step, number + 1000)

    for number in range(1000):
        (qt.call_soon if number % 2 else qt.call_soon_threadsafe)(step, number)
    qt.call_soon(qt.call_soon, qt.call_soon, qt.stop)
    qt.run_forever()
    assert order == list(range(2000))


def test_what_threads_hand_over_keeps_each_threads_order(qt: QtLoop) -> None:
    seen: list[tuple[str, int]] = []

    def hand_over(name: str) -> None:
        for number in range(500):
            qt.call_soon_threadsafe(seen.append, (name, number))

    async def main() -> None:
        await asyncio.gather(*(asyncio.to_thread(hand_over, name) for name in "ab"))

    qt.run_until_complete(main())
    for name in "ab":
        assert [number for who, number in seen if who == name] == list(range(500))


def test_a_call_from_a_thread_wakes_an_idle_loop(qt: QtLoop) -> None:
    woken: list[int] = []
    qt.call_later(20, qt.stop)
    threading.Timer(0.02, qt.call_soon_threadsafe, (lambda: (woken.append(1), qt.stop()),)).start()
    qt.run_forever()
    assert woken == [1]


def test_timers_run_in_order_of_time_then_creation_and_never_early(qt: QtLoop) -> None:
    seen: list[tuple[int, bool]] = []
    start = qt.time()

    def ring(number: int, due: float) -> None:
        seen.append((number, qt.time() >= due))

    for number, delay in enumerate((0.0072, 0.0031, 0.0031, 0.0005, 0.0)):
        qt.call_at(start + delay, ring, number, start + delay)
    qt.call_at(start + 0.0080, qt.stop)
    qt.run_forever()
    assert seen == [(4, True), (3, True), (1, True), (2, True), (0, True)]


def test_a_sooner_timer_set_later_is_not_held_up(qt: QtLoop) -> None:
    far = qt.call_later(1000, qt.stop)
    qt.call_later(0.001, qt.stop)
    qt.run_forever()
    assert not far.cancelled()


def test_cancelled_timers_leave_nothing_behind(qt: QtLoop) -> None:
    async def main() -> None:
        for _ in range(2000):
            await asyncio.wait_for(asyncio.sleep(0), 30)

    qt.run_until_complete(main())
    assert len(qt._timers) <= 102  # pyright: ignore[reportPrivateUsage]
    assert len(qt._soon) == 0  # pyright: ignore[reportPrivateUsage]


def test_a_cancelled_callback_never_runs(qt: QtLoop) -> None:
    ran: list[str] = []
    qt.call_soon(ran.append, "soon").cancel()
    qt.call_later(0, ran.append, "later").cancel()
    qt.call_soon_threadsafe(ran.append, "threadsafe").cancel()
    qt.call_later(0.001, qt.stop)
    qt.run_forever()
    assert ran == []


def test_a_callback_runs_in_the_context_it_was_given(qt: QtLoop) -> None:
    cause = contextvars.ContextVar("cause", default=0)
    seen: list[int] = []
    cause.set(7)
    given = contextvars.Context()
    given.run(cause.set, 9)
    schedulers = (qt.call_soon, qt.call_soon_threadsafe, partial(qt.call_later, 0))
    for schedule in schedulers:
        schedule(lambda: seen.append(cause.get()))
        schedule(lambda: seen.append(cause.get()), context=given)
    cause.set(8)
    qt.call_later(0.002, qt.stop)
    qt.run_forever()
    assert sorted(seen) == [7, 7, 7, 9, 9, 9]


def test_an_exception_in_a_callback_reaches_the_handler_and_the_loop_goes_on(qt: QtLoop) -> None:
    told: list[dict[str, Any]] = []
    qt.set_exception_handler(lambda _, context: told.append(context))
    qt.call_soon(int, "not a number")
    qt.call_soon(qt.stop)
    qt.run_forever()
    assert [type(context["exception"]) for context in told] == [ValueError]


def test_what_ends_python_comes_out_of_the_loop_which_can_run_again(qt: QtLoop) -> None:
    async def leave() -> None:
        raise SystemExit(7)

    with pytest.raises(SystemExit, match="7"):
        qt.run_until_complete(leave())
    qt.call_soon(sys.exit, 8)
    with pytest.raises(SystemExit, match="8"):
        qt.run_forever()
    assert qt.run_until_complete(asyncio.sleep(0, "again")) == "again"


def test_a_chain_without_end_still_lets_qt_be_served(qt: QtLoop) -> None:
    from PyQt5.QtCore import QTimer

    def again() -> None:
        qt.call_soon(again)

    served: list[int] = []
    again()
    QTimer.singleShot(1, lambda: (served.append(1), qt.stop())[0])
    qt.run_forever()
    assert served == [1]


def test_a_qt_loop_nested_in_a_task_leaves_the_other_tasks_whole(qt: QtLoop) -> None:
    from PyQt5.QtCore import QEventLoop, QTimer

    steps: list[str] = []

    async def modal() -> None:
        nested = QEventLoop()
        QTimer.singleShot(5, nested.quit)
        thread = threading.Thread(target=qt.call_soon_threadsafe, args=(steps.append, "thread"))
        QTimer.singleShot(0, thread.start)
        steps.append("shown")
        nested.exec_()
        steps.append("closed")

    async def other() -> None:
        steps.append("other")
        await asyncio.sleep(0)
        steps.append("other")

    async def main() -> None:
        await asyncio.gather(modal(), other())

    qt.run_until_complete(main())
    assert steps == ["shown", "closed", "other", "thread", "other"]


def test_sqlite_sockets_processes_and_time_outs_work_over_qt(qt: QtLoop) -> None:
    async def main() -> list[object]:
        async with asyncio.TaskGroup() as group:
            work = [group.create_task(each) for each in (_one_row(), _echo(), _process(), _time_out())]
        return [task.result() for task in work]

    assert qt.run_until_complete(main()) == [(1,), b"hello\n", b"out\n", "timed out"]


def test_a_failure_in_a_task_group_cancels_its_siblings(qt: QtLoop) -> None:
    cancelled: list[bool] = []

    async def sibling() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(sibling())
            await asyncio.sleep(0)
            group.create_task(_fail())

    with pytest.raises(ExceptionGroup) as raised:
        qt.run_until_complete(main())
    assert raised.group_contains(ConnectionError)
    assert cancelled == [True]


def test_a_closed_loop_takes_no_more() -> None:
    loop = qt_loop()
    loop.close()
    loop.close()
    for schedule in (loop.call_soon, loop.call_soon_threadsafe, partial(loop.call_later, 1)):
        with pytest.raises(RuntimeError, match="closed"):
            schedule(int)


def test_run_cancels_what_is_left_over_and_closes() -> None:
    loop = qt_loop()
    left: list[asyncio.Task[bool]] = []

    async def main() -> int:
        left.append(asyncio.create_task(asyncio.Event().wait()))
        await asyncio.sleep(0)
        return 3

    assert run(main, loop) == 3
    assert left[0].cancelled()
    assert loop.is_closed()


@ON_UNIX
@pytest.mark.parametrize("kind", ["qt", "asyncio"])
def test_ctrl_c_cancels_an_idle_run_and_then_interrupts(kind: str) -> None:
    script = f"""
        async def main():
            print("up", flush=True)
            try:
                await asyncio.Event().wait()
            finally:
                print("clean", flush=True)
        try:
            run(main, new_loop({kind!r}))
        except KeyboardInterrupt:
            print("interrupted")
    """
    assert _signalled(script, signal.SIGINT) == ["clean", "interrupted"]


@ON_UNIX
def test_a_signal_handler_runs_in_an_idle_qt_loop() -> None:
    script = """
        async def main():
            told = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
            print("up", flush=True)
            await told.wait()
            print("drained")
        run(main, new_loop("qt"))
    """
    assert _signalled(script, signal.SIGTERM) == ["drained"]


@ON_WINDOWS
def test_a_signal_handler_runs_in_an_idle_qt_loop_without_posix_signals(qt: QtLoop) -> None:
    async def main() -> None:
        told = asyncio.Event()
        qt.add_signal_handler(signal.SIGINT, told.set)
        threading.Timer(0.02, signal.raise_signal, (signal.SIGINT,)).start()
        await told.wait()
        qt.remove_signal_handler(signal.SIGINT)

    qt.run_until_complete(main())


@ON_WINDOWS
def test_what_windows_finished_too_late_is_dropped(qt: QtLoop) -> None:
    assert sys.platform == "win32"
    settled, left = qt.create_future(), qt.create_future()
    settled.set_result("first")
    qt._process_events([(settled, lambda *_: "late", 0, 0, None)])
    qt.close()
    qt._process_events([(left, lambda *_: "late", 0, 0, None)])
    assert settled.result() == "first"
    assert not left.done()


def test_closing_the_last_window_does_not_stop_the_loop() -> None:
    script = """
        from PyQt5.QtWidgets import QWidget
        async def main():
            QWidget().close()
            await asyncio.sleep(0.05)
            print("still there")
        run(main, qt_loop(widgets=True))
    """
    assert (
        _python("import asyncio\nfrom runtime.loops.loop import qt_loop, run" + dedent(script)).stdout
        == "still there\n"
    )


def test_a_missing_system_library_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "libGL.so.1: cannot open shared object file: No such file or directory"
    monkeypatch.setitem(sys.modules, "runtime.loops.qt", cast("Any", _Broken(text)))
    with pytest.raises(MissingLibrary, match=r"libGL\.so\.1.*apt install libgl1"):
        qt_loop()


def test_another_import_error_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "runtime.loops.qt", cast("Any", _Broken("No module named 'PyQt5'")))
    with pytest.raises(ImportError, match="PyQt5"):
        qt_loop()


def test_only_asking_for_qt_imports_it() -> None:
    script = (
        "import sys, runtime.loops.loop, runtime.clock; print([n for n in sys.modules if 'Qt' in n or n == 'qasync'])"
    )
    assert _python(script).stdout.strip() == "[]"


class _Broken:
    def __init__(self, text: str) -> None:
        self._text = text

    def __getattr__(self, name: str) -> object:
        raise ImportError(self._text)


async def _one_row() -> object:
    async with aiosqlite.connect(":memory:") as database, database.execute("select 1") as cursor:
        return await cursor.fetchone()


async def _echo() -> bytes:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello\n")
        line = await reader.readline()
        writer.close()
        return line


async def _process() -> bytes:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print('out')", stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    return out.replace(b"\r", b"")


async def _time_out() -> str:
    try:
        async with asyncio.timeout(0.005):
            await asyncio.Event().wait()
    except TimeoutError:
        return "timed out"
    return "did not"


async def _fail() -> None:
    raise ConnectionError("gone")


def _signalled(script: str, number: signal.Signals) -> list[str]:
    lines = "import asyncio, signal\nfrom runtime.loops.loop import new_loop, run\n" + dedent(script)
    command = [sys.executable, "-c", lines]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        os.kill(process.pid, number)
        try:
            out, _ = process.communicate(timeout=50)
        finally:
            process.kill()
    return out.split()


def _python(script: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
