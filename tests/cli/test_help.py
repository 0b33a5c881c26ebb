"""`chainrule --help`: all commands, and nothing heavy imported for it."""

import json
import subprocess
import sys

from typer.testing import CliRunner

from chainrule.cli import main

# What commands need and help does not; each costs more than the help itself.
HEAVY = ("scipy", "rich", "matplotlib", "jax", "torch", "llvmlite", "asyncio", "numpy.testing")


def modules_after(statement):
    """The modules that a fresh Python has loaded after a statement."""
    program = f"{statement}; import json, sys; print(json.dumps(sorted(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(json.loads(result.stdout))


def test_help_names_every_command():
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name in ("explain", "check", "list", "train"):
        assert f"\n  {name} " in result.output
    assert CliRunner().invoke(main, []).output == result.output


def test_every_command_has_help_of_its_own():
    for name in ("explain", "check", "list", "train"):
        result = CliRunner().invoke(main, [name, "--help"])
        assert result.exit_code == 0
        assert result.output.startswith("Usage: ")


def test_help_imports_nothing_heavy():
    loaded = modules_after("import chainrule.cli")
    numpy_alone = modules_after("import numpy")
    found = {name for name in loaded - numpy_alone if name.split(".")[0] in HEAVY or name in HEAVY}
    assert not found


def test_the_commands_add_only_themselves_and_typer():
    added = modules_after("import chainrule.cli") - modules_after("import chainrule, typer")
    assert all(name.startswith("chainrule.cli") for name in added), added
    assert not added & {
        "chainrule.cli.expression",
        "chainrule.cli.program",
        "chainrule.cli.loading",
    }


def test_a_missing_argument_is_told_with_exit_code_2():
    result = CliRunner().invoke(main, ["explain"])
    assert result.exit_code == 2
    assert "Missing argument" in result.stderr
    assert CliRunner().invoke(main, ["nonsense"]).exit_code == 2
