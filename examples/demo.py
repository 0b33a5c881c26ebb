"""A tour in under a minute: a hand-driven graph, an explained gradient, a trained net, two plots.

python examples/demo.py writes its files into runs/demo/ of the current folder.
"""

import math
from pathlib import Path

import numpy as np
from plots import write_plots

from chainrule import train
from chainrule.classroom import Exp, Leaf, Mean, backward_algorithm, forward_algorithm
from chainrule.explanation import explain

FOLDER = Path("runs", "demo")


def tanh(x):
    expx, expnx = np.exp(x), np.exp(-x)
    return (expx - expnx) / (expx + expnx)


def show_cosh_tree():
    print("== The homework's graph of cosh x at x = log 2: results and gradients ==")
    x = Leaf(math.log(2), "x")
    print(backward_algorithm(forward_algorithm(Mean(Exp(x), Exp(-x)))))


def explain_tanh():
    print("\n== tanh x = (exp x - exp -x) / (exp x + exp -x) at x = log 2, step by step ==")
    print(explain(tanh, math.log(2)).table())


def train_on_digits():
    print("\n== A net with one hidden layer learns handwritten digits ==", flush=True)
    run = train.train_digits(FOLDER / "digits", seed=0)
    print(f"weights in {run.weights}\nmetrics in {run.metrics}")
    print(f"test accuracy {run.test_accuracy:.4f}")


def write_homework_plots():
    print("\n== The homework's plots of a polynomial and its derivatives ==")
    for path in write_plots(FOLDER):
        print(path)


if __name__ == "__main__":
    show_cosh_tree()
    explain_tanh()
    train_on_digits()
    write_homework_plots()
