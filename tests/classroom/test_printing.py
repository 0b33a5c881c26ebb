"""The printed tree: the homework's own recursion is the oracle."""

import numpy as np

from chainrule.classroom import (
    Exp,
    Leaf,
    backward_algorithm,
    build_graph,
    forward_algorithm,
    printing_graph,
)


def homework_tree(node, seen):
    """The homework's __repr__, with its slips put right."""
    name = type(node).__name__ + (" " + node.name if node.name else "")
    if node in seen:
        return f"{name} @[{seen[node]}]"
    seen[node] = str(len(seen) + 1)
    own = f"{name} result={node.result} gradient={node.gradient}"
    tree = "\n".join([own, *(homework_tree(child, seen) for child in node.input_nodes)])
    return "\n  ".join(tree.split("\n"))


def test_the_tree_of_a_tanh():
    x = Leaf(0.3, "x")
    up, down = Exp(x), Exp(-x)
    graph = backward_algorithm(forward_algorithm((up - down) / (up + down)))
    assert repr(graph) == str(graph) == homework_tree(graph, {})


def test_matrices_are_indented_with_their_node():
    a, b = Leaf(np.array([[1.0, 2.0], [3.0, 4.0]]), "a"), Leaf(np.eye(2))
    graph = backward_algorithm(forward_algorithm((a @ b @ a).sum()))
    assert "\n" in str(a.value)
    assert repr(graph) == homework_tree(graph, {})


def test_before_any_pass():
    assert repr(Leaf(2.0, "x") + 1).splitlines() == [
        "Add result=None gradient=None",
        "  Leaf x result=None gradient=None",
        "  Leaf result=None gradient=None",
    ]


def test_trees_printed_together_share_their_numbers():
    x = Leaf(2.0, "x")
    first, second = x + 1, x * 2
    with printing_graph() as numbers:
        assert repr(first).startswith("Add ")
        assert repr(second).splitlines()[1] == "  Leaf x @[2]"
    assert numbers[x] == "2"
    assert repr(x) == "Leaf x result=None gradient=None"


def test_a_gradient_that_is_a_node_prints_on_one_line():
    x = Leaf(3.0, "x")
    graph = forward_algorithm(x * 2)
    with build_graph():
        backward_algorithm(graph)
    assert repr(x) == "Leaf x result=3.0 gradient=<Mul result=None>"
    forward_algorithm(x.gradient)
    assert repr(x) == "Leaf x result=3.0 gradient=<Mul result=2.0>"


def test_beyond_level_24_a_line_states_its_level():
    y = Leaf(1.0, "x")
    for _ in range(26):
        y = -y
    lines = repr(y).splitlines()
    assert lines[24] == "  " * 24 + "Negate result=None gradient=None"
    assert lines[25] == "  " * 24 + "[level 25] Negate result=None gradient=None"
    assert lines[26] == "  " * 24 + "[level 26] Leaf x result=None gradient=None"
