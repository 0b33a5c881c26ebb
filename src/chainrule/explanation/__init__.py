"""A computation and its gradient, told to people.

explain.py   explain: a function and a point -> an Explanation
steps.py     the ordered steps of both passes, with accumulators
shares.py    what an operation hands to each input, as formula and local derivative
rules.py     the text of a derivative rule, from running it on recorded arrays
names.py     what values are called
notation.py  how an operation is written
derivatives.py  the derivative of an operation in one line
verdicts.py  what becomes of each function of NumPy
values.py    how a number or an array is written
"""

from chainrule.explanation.derivatives import derivative_text
from chainrule.explanation.explain import Explanation, explain, explain_assigned
from chainrule.explanation.steps import Step
from chainrule.explanation.values import brief
from chainrule.explanation.verdicts import Verdict, table, verdicts

__all__ = [
    "Explanation",
    "Step",
    "Verdict",
    "brief",
    "derivative_text",
    "explain",
    "explain_assigned",
    "table",
    "verdicts",
]
