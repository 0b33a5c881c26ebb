"""Nothing recurses: 100,000 operations in a row, and their release, work in both modes."""

import subprocess
import sys
import textwrap

import numpy as np

import chainrule as cr

LENGTH = 100_000


def _chain(x: object) -> object:
    for _ in range(LENGTH):
        x = x + 1e-5  # type: ignore[operator]
    return x


def test_reverse_mode_along_a_long_chain() -> None:
    value, slope = cr.value_and_grad(_chain)(1.0)
    assert float(slope) == 1.0
    np.testing.assert_allclose(value, 2.0)


def test_forward_mode_along_a_long_chain() -> None:
    value, slope = cr.jvp(_chain, (1.0,), (3.0,))
    assert float(slope) == 3.0
    np.testing.assert_allclose(value, 2.0)


def test_views_of_views_along_a_long_chain() -> None:
    def f(x: np.ndarray) -> object:
        y = x
        for _ in range(2_000):
            y = y[::-1]
        y[0] = 5.0
        return np.sum(x * np.array([1.0, 2.0]))

    assert float(f(np.array([3.0, 4.0]))) == 13.0
    np.testing.assert_array_equal(cr.grad(f)(np.array([3.0, 4.0])), [0.0, 2.0])


def test_a_long_graph_is_released_on_a_small_stack() -> None:
    # In a thread of 256 kB, a release that recursed from node to node would end the process.
    program = """
        import threading
        import chainrule as cr

        def chain(x):
            for _ in range(100_000):
                x = x + 1e-5
            return x

        def run():
            _, pull = cr.vjp(chain, 1.0)
            assert float(pull(1.0)[0]) == 1.0
            del pull
            graph = cr.trace(chain)(1.0)
            assert len(graph.nodes) == 100_000
            del graph
            done.append(True)

        done = []
        threading.stack_size(256 * 1024)
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        print(done)
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == "[True]"
