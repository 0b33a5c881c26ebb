"""What stands for an array while a transform runs, and the level that owns it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.graph.primitive import Primitive


class Level:
    """One running transform. Its `tag` is larger than the tags of all that began before it.

    An operation belongs to the operand with the highest tag; to it, all others are constants.
    """

    __slots__ = ("open", "standing", "tag", "title")
    maps = False  # whether a value of this level is that of many examples

    def __init__(self, tag: int, title: str) -> None:
        self.tag = tag
        self.title = title
        self.open = True
        self.standing: Any = None  # the levels of dual numbers made by hand while this one runs

    def read(self, array: Traced, kind: str) -> Any:
        """The value of `array` one level down, because the code asks for its number."""
        return array.value

    def memory(self, array: Traced) -> Any:
        """What lies under all levels in the memory that `array` stands for."""
        raise NotImplementedError

    def varies(self, array: Traced) -> bool:
        """Whether `array`, of this level, is more than a constant to it."""
        raise NotImplementedError

    def constant(self, value: Any) -> Any:
        """A traced array of this level that holds a value which depends on no variable."""
        raise NotImplementedError

    def reference(self, array: Any) -> Any:
        """A plain array from outside as this level wants operations to see it."""
        return array

    def apply(
        self, primitive: Primitive, arguments: tuple[Any, ...], params: dict[str, Any]
    ) -> Any:
        """Carry out one operation, an operand of which belongs to this level.

        An operand of a higher tag takes over: its level carries the operation out instead.
        """
        raise NotImplementedError

    def separate(self, values: Traced, separated: Any) -> None:
        """Some of the values of a decomposition are equal: reverse mode takes a limit there."""

    def direction(self, array: Traced) -> Any:
        """The plain direction in which `array` moves, where there is one and only one."""
        return None


def owner(arguments: tuple[Any, ...]) -> Level:
    """The level with the highest tag among traced operands, all of whose views are settled."""
    traced = [argument for argument in arguments if isinstance(argument, Traced)]
    for argument in traced:
        argument.settle()
    return max((argument.level for argument in traced), key=lambda level: level.tag)


class Traced:
    """An array that belongs to a level. `value` is a plain array or belongs to a lower level.

    `alias` tells of which array this one is a view; None for an array of its own.
    """

    __slots__ = ("alias", "level", "value")

    level: Level
    value: Any
    alias: Any

    def snapshot(self) -> Traced:
        """The same array under a handle of its own, which later writes do not reach."""
        raise NotImplementedError

    def settle(self) -> None:
        """Read a view anew if the array that it views was written since."""
        raise NotImplementedError
