"""The process of the command `autodiff`, also as `python -m autodiff`: how it starts and how it ends.

A one-line program takes less time than an interpreter needs to free its objects, so the process exits without freeing
what its end frees anyway.
"""

import gc
import os
import sys


def main() -> None:
    """Run the command that the arguments name, and end the process with its exit status."""
    try:
        _main()
    except KeyboardInterrupt:  # before `run`, which handles an interrupt, was loaded
        os._exit(130)


def _at_once(*_: object) -> None:
    """Exit without a message: an exception that is raised while a module is loaded would be printed and ignored."""
    os._exit(130)


def _main() -> None:
    # the tree of a long program is millions of tuples without a cycle, and searching it for cycles takes a tenth of the
    # time; commands that run for as long as there are rows turn the collector on again
    gc.disable()
    gc.set_threshold(2_000_000, 20, 20)
    # blocks of rows run on all cores as they are, and threads of BLAS within each wait for one another: with other programs on
    # the machine a training takes up to six times as long
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # PyArrow's own pool keeps what blocks of a table needed: a tenth of the memory of a training
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    import _signal as signal  # not `signal`, which builds enumerations when it is imported

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else the caller wants it to be ignored
        signal.signal(signal.SIGINT, _at_once)
    from autodiff.cli.deferred_inspect import DeferredInspect

    sys.modules.setdefault("inspect", DeferredInspect("inspect"))
    from autodiff.cli.main import run

    if signal.getsignal(signal.SIGINT) is _at_once:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.stderr is None:  # the caller closed it, so messages are discarded
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    status = run()
    if sys.stdout is None:
        os._exit(status)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # the reader closed the pipe; `run` has already reported the errors
        pass
    os._exit(status)


if __name__ == "__main__":
    main()
