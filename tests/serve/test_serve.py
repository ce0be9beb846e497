"""The page to type in: right answers, sentences for mistakes, nothing of the machine, and hostile formulas that cost themselves."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from autodiff.serve.answers import answer
from autodiff.serve.app import POLICY
from autodiff.serve.workers import Turns, Workers
from tests.support.command import PATIENCE

pytest.importorskip("uvicorn")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with _start() as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[0]
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, err) == (0, "stopped\n")


def _start(*args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "autodiff", "serve", "--port", "0", *args],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip


def _ask(address: str, **query: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{address}answer?{urllib.parse.urlencode(query)}", timeout=PATIENCE) as response:
        found: dict[str, Any] = json.load(response)
        return found


def test_an_explanation_is_that_of_the_command(address: str) -> None:
    found = _ask(address, what="explain", program="y = x^2; exp(sin(y))", at="x=4")
    assert found["slopes"] == {"x": -5.744685762849454}
    assert found["inputs"] == [{"name": "x", "value": 4.0}]
    assert "<h2" in found["page"]
    assert _ask(address, program="2a + b")["inputs"] == [{"name": "a", "value": 1.0}, {"name": "b", "value": 1.0}]


def test_plots_and_exports(address: str) -> None:
    assert _ask(address, what="plot", program="abs(x)", at="x=0")["plot"].startswith("<?xml")
    assert _ask(address, what="plot", program="3")["plot"] == ""
    tangents = [_ask(address, what="plot", program=text, at="x=0")["tangent"] for text in ("x^2", "abs(x)*sin(1/x)")]
    assert tangents == [True, False]
    assert "def value_and_gradient" in _ask(address, what="export", program="x^2", to="python")["source"]
    assert "\\begin" in _ask(address, what="export", program="x^2", to="latex")["source"]
    assert json.loads(_ask(address, what="export", program="x^2", to="json")["source"])["slopes"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"program": "sin(x"}, "this '(' is never closed"),
        ({"program": ""}, "no program"),
        ({"program": "x", "at": "@/etc/passwd"}, "the page reads no files"),
        ({"program": "x", "at": "z=1"}, "'z' is not an input"),
        ({"program": "x" * 10_001}, "up to 10,000 characters"),
        ({"program": "+".join(f"a{k}" for k in range(50))}, "up to 40 inputs, and these are 50"),
        ({"program": "x", "what": "delete"}, "asks for no 'delete'"),
        ({"program": "x", "what": "export", "to": "cobol"}, "no export to 'cobol'"),
    ],
)
def test_mistakes_are_sentences(query: dict[str, str], message: str) -> None:
    assert message in answer(query)["error"]


def test_inputs_that_the_formula_has_not_are_named() -> None:
    assert answer({"program": "y", "at": "\uff58=4,z=1,y=2"})["unknown"] == ["x", "z"]


def test_only_this_machine_is_answered(address: str) -> None:
    foreign = (
        "elsewhere.example",
        "localhost.elsewhere.example:80",
        "localhost:80@elsewhere.example",
        "elsewhere.example:localhost",
    )
    for path, host in product(("", "answer?program=x"), foreign):
        request = urllib.request.Request(f"{address}{path}", headers={"Host": host})
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=PATIENCE)
        assert caught.value.code == 403
        caught.value.close()
    with urllib.request.urlopen(address, timeout=PATIENCE) as response:
        assert response.headers["Content-Security-Policy"] == POLICY
    for path in ("etc/passwd", "../pyproject.toml", "page.html"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{address}{path}", timeout=PATIENCE)
        assert caught.value.code == 404
        caught.value.close()


def test_a_hostile_formula_costs_its_own_request(address: str) -> None:
    slow = "+".join(f"gamma(x + {k})^sin({k}*x)^x" for k in range(150))
    hostile = [slow, "(" * 4000 + "x" + ")" * 4000, "sum(ones(900000)*x)", "exp(" * 300 + "x" + ")" * 300]
    answers: list[dict[str, Any]] = []
    threads = [
        threading.Thread(target=lambda k=k: answers.append(_ask(address, program=hostile[k % 4]))) for k in range(12)
    ]
    for thread in threads:
        thread.start()
    assert _ask(address, program="x^2", at="x=3")["slopes"] == {"x": 6.0}
    for thread in threads:
        thread.join()
    assert len(answers) == 12
    assert all("error" in found or "page" in found for found in answers)
    assert _ask(address, program="x^2", at="x=3")["slopes"] == {"x": 6.0}


def test_the_server_ends_at_once_and_silently_while_it_works() -> None:
    slow = "+".join(f"gamma(x + {k})^sin({k}*x)^x" for k in range(150))
    with _start() as process:
        assert process.stdout is not None
        place = process.stdout.readline().split()[0]
        answers: list[dict[str, Any]] = []
        threads = [threading.Thread(target=lambda: answers.append(_ask(place, program=slow))) for _ in range(4)]
        for thread in threads:
            thread.start()
        _ask(place, program="x")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        for thread in threads:
            thread.join()
    assert (process.returncode, err) == (0, "stopped\n")
    assert len(answers) == 4


def test_a_port_that_is_taken_is_said(address: str) -> None:
    port = address.rstrip("/").rpartition(":")[2]
    with _start("--port", port) as process:
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (2, "")
    assert f"can't listen at 127.0.0.1:{port}" in err


def _modules() -> str | None:
    """The folder of Node's packages that has what the browser's test needs."""
    for folder in (os.environ.get("NODE_PATH", ""), str(Path.home() / "node_modules")):
        if folder and all((Path(folder) / name).is_dir() for name in ("playwright-core", "axe-core")):
            return folder
    return None


@pytest.mark.skipif(
    shutil.which("node") is None or shutil.which("chromium") is None or _modules() is None,
    reason="needs node, chromium, and NODE_PATH with playwright-core and axe-core",
)
def test_a_person_types_slides_steps_and_shares_in_a_browser(address: str) -> None:
    script = Path(__file__).parent / "browser.js"
    done = subprocess.run(
        ["node", str(script), address, shutil.which("chromium") or ""],
        capture_output=True, text=True, timeout=PATIENCE, check=False, env={**os.environ, "NODE_PATH": _modules() or ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for found, width in zip(json.loads(done.stdout), (1200, 390), strict=True):
        assert found["violations"] == []
        assert found["said"] == []
        assert all(url.startswith(address) for url in found["asked"])
        assert found["step"].startswith("step 1 of ")
        assert found["lit"] == 1
        assert "never closed" in found["error"]
        assert found["shared"] == found["slid"]
        assert "value: 42" in found["arrays"]
        assert found["followed"] == [70, 70]
        assert found["answers"] <= 3
        assert found["scroll"] <= width


def test_the_newest_that_waits_for_a_turn_is_the_next() -> None:
    async def order() -> list[int]:
        turns, ran = Turns(1), list[int]()

        async def take(number: int) -> None:
            async with turns:
                ran.append(number)
                await asyncio.sleep(0)

        tasks = [asyncio.create_task(take(number)) for number in range(4)]
        await asyncio.sleep(0)
        tasks[3].cancel()  # which gives up its wait
        await asyncio.gather(*tasks, return_exceptions=True)
        await take(4)
        return ran

    assert asyncio.run(order()) == [0, 2, 1, 4]


def test_a_turn_that_comes_while_the_wait_is_given_up_goes_on() -> None:
    async def last() -> bool:
        turns = Turns(1)
        await turns.__aenter__()
        waiting = asyncio.create_task(turns.__aenter__())
        await asyncio.sleep(0)
        await turns.__aexit__()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        async with asyncio.timeout(PATIENCE), turns:
            return True

    assert asyncio.run(last())


def test_what_works_for_a_while_waits_for_a_turn_while_what_is_short_is_answered() -> None:
    long = {"what": "explain", "program": "+".join(f"betainc(x, {k}.5, 0.3)" for k in range(2, 30)), "at": "x=2"}

    async def answers() -> tuple[bool, dict[str, Any], dict[str, Any]]:
        workers = Workers()
        workers._turns = Turns(1)
        await workers._turns.__aenter__()
        slow = asyncio.create_task(workers.answer(long))
        short = await workers.answer({"what": "explain", "program": "x", "at": "x=3"})
        while not workers._turns._waiting:
            await asyncio.sleep(0.01)
        before = slow.done()
        await workers._turns.__aexit__()
        return before, short, await slow

    before, short, slow = asyncio.run(answers())
    assert not before
    assert short["slopes"] == {"x": 1.0}
    assert slow["status"] == "ok"


def test_an_explanation_does_not_wait_for_what_plots_need() -> None:
    async def first() -> dict[str, Any]:
        workers: Any = Workers()
        workers._loading = asyncio.get_running_loop().create_future()
        workers._context = None  # which loads what plots need, too
        reply: dict[str, Any] = await workers.answer({"what": "explain", "program": "x^2", "at": "x=3"})
        return reply

    assert asyncio.run(first())["slopes"] == {"x": 6.0}
