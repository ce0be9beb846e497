"""The process of the command `autodiff`, also as `python -m autodiff`: how it starts and how it ends.

A one-line program takes less time than an interpreter needs to tidy up behind itself, so nothing is tidied up that the
end of the process frees anyway.
"""

import gc
import os
import sys


def main() -> None:
    """Run the command that the arguments name, and end the process with its exit status."""
    try:
        _main()
    except KeyboardInterrupt:  # where nothing was there yet to see it
        os._exit(130)


def _at_once(*_: object) -> None:
    """End without a word: an exception would be told, and ignored, where one is raised while a module is loaded."""
    os._exit(130)


def _main() -> None:
    # a program of megabytes is millions of tuples and no cycle: to look for some takes a tenth of the time. What runs for
    # as long as there are rows turns the collector on again
    gc.disable()
    gc.set_threshold(2_000_000, 20, 20)
    import _signal as signal  # what `signal` is made of: that one makes enumerations of its numbers

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else the caller wants it to be ignored
        signal.signal(signal.SIGINT, _at_once)
    from autodiff.cli.main import run

    if signal.getsignal(signal.SIGINT) is _at_once:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.stderr is None:  # the caller closed it: nobody wants to know
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
    except OSError:  # nobody reads any more; `run` has said what there was to say
        pass
    os._exit(status)


if __name__ == "__main__":
    main()
