"""Every exception of chainrule.

ChainruleError
├── InputError (TypeError)            an argument cannot be differentiated
├── OutputError (TypeError)           the function's result cannot be differentiated
├── ArgnumsError (ValueError)         argnums names an argument that is not there
├── StructureError (ValueError)       a tree does not have the structure it should have
├── ShapeError (ValueError, IndexError)   shapes do not fit inside the user's function
├── ConversionError (TypeError)       a traced value was asked for a plain number or array
├── WriteError (TypeError)            a traced value was written into a plain array
├── MutationError (ValueError)        an array that was recorded was written too early
├── LeakError (RuntimeError)          a traced value was used after its transform returned
├── BatchError (ValueError)           the examples of a vmap do not go the same way
├── RuleError (TypeError)             a rule of a user's own that no record can be made of
├── UnsupportedError (NotImplementedError)   an operation has no derivative here
├── ToleranceError (AssertionError)   a derivative is not what the check measured
├── ChoiceWarning (UserWarning)       a derivative asks for what an arbitrary choice decides
├── SolutionError (ArithmeticError)   a solver's result solves nothing, or not regularly
├── ClassroomError                      what went wrong in a hand-driven graph
│   ├── NodeLookupError     (LookupError)          no node, or more than one, has the name
│   ├── NodeTypeError       (TypeError)            an input that no node can work with
│   ├── NodeValueError      (ValueError)           shapes that do not fit, or a step left out
│   └── NodeUnfinishedError (NotImplementedError)  a node without its forward or backward
├── LabelError       (ValueError)       labels that do not fit the scores
├── SettingError     (ValueError)       a setting outside the range in which it means something
├── DivergenceError  (ArithmeticError)  a training or a solver that left the finite numbers
├── CommandError     (ValueError)       what a command was given and cannot work with
└── WeightsError     (OSError)          a weights file that is missing, damaged or cannot be written

No error but a RuntimeWarning is CompileWarning: a compiled function runs, but slower than asked.
"""


class ChainruleError(Exception):
    """What every exception of chainrule derives from."""


class InputError(ChainruleError, TypeError):
    """An argument cannot be differentiated: an integer, a text, a tree without numbers."""


class OutputError(ChainruleError, TypeError):
    """The result cannot be differentiated as asked: the gradient of something not scalar."""


class ArgnumsError(ChainruleError, ValueError):
    """`argnums` names an argument that the call does not have."""


class StructureError(ChainruleError, ValueError):
    """A tree of arrays does not have the structure of the tree that it belongs to."""


class ShapeError(ChainruleError, ValueError, IndexError):
    """NumPy refused the shapes or values of an operation inside the user's function."""


class ConversionError(ChainruleError, TypeError):
    """A traced value was asked for a plain number or array, which would cut the gradient unseen."""


class WriteError(ChainruleError, TypeError):
    """A traced value was written into a plain array, which cannot hold it."""


class MutationError(ChainruleError, ValueError):
    """A recorded array was written before its derivative was computed."""


class LeakError(ChainruleError, RuntimeError):
    """A traced value was used after the transform that it belongs to had returned."""


class BatchError(ChainruleError, ValueError):
    """Examples of a vmap differ in size, or in a value or a shape that the code depends on."""


class RuleError(ChainruleError, TypeError):
    """A derivative rule of a user's own is not stated as a record needs it."""


class UnsupportedError(ChainruleError, NotImplementedError):
    """An operation has no derivative here."""


class ToleranceError(ChainruleError, AssertionError):
    """A derivative differs from what a check measured."""


class CompileWarning(RuntimeWarning):
    """A compiled function runs another way than it was asked to, and slower."""


class SolutionError(ChainruleError, ArithmeticError):
    """A solver's result that is no solution, or one at which the equations are singular."""


class ClassroomError(ChainruleError):
    """What went wrong in a hand-driven graph; every exception of `chainrule.classroom`."""


class NodeLookupError(ClassroomError, LookupError):
    """A name that no node of the graph has, or that several have."""


class NodeTypeError(ClassroomError, TypeError):
    """An input, a power or a returned gradient of a kind that no node can work with."""


class NodeValueError(ClassroomError, ValueError):
    """Shapes that do not fit, or a step that must come first and did not."""


class NodeUnfinishedError(ClassroomError, NotImplementedError):
    """A kind of node that does not define its `forward` or its `backward`."""


class LabelError(ChainruleError, ValueError):
    """Labels that are not whole numbers, out of range, or too many or too few for the scores."""


class SettingError(ChainruleError, ValueError):
    """A setting, such as a learning rate or a batch size, that means nothing at this value."""


class DivergenceError(ChainruleError, ArithmeticError):
    """A training whose loss is infinite or not a number, or a solver that had to give up."""


class CommandError(ChainruleError, ValueError):
    """An expression, a value, a file or a name that a command of `chainrule` cannot work with."""


class WeightsError(ChainruleError, OSError):
    """A weights file that is missing, damaged or cannot be written, or that cannot hold a tree."""


class ChoiceWarning(ChainruleError, UserWarning):  # noqa: N818  a warning, not an error
    """A result depends on an arbitrary choice, such as the vectors of equal eigenvalues."""
