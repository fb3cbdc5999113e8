"""Estimated Cortex-A76 cycles of an aarch64 program, without the phone.

A QEMU plugin (blocks.c) counts how often every translated block runs; llvm-mca schedules each block that matters on its Neoverse N1
model, the A76's server twin. The sum is compute cycles with every load taken as an L1 hit: it repeats to a fraction of a percent on any
machine and is good for ratios between kernels and engines; it is blind to cache misses, branch misses and clock changes. An estimate,
and whoever quotes it says so.
"""

from __future__ import annotations

import collections
import concurrent.futures
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emulation import MissingToolError, build_plugin, run_counted

MATTR = "+v8.2a,+dotprod,+fullfp16,+lse,+rcpc"
COVERED = 0.999  # share of the instructions that is scheduled; the rest is taken at their mean
ITERATIONS = 50

PAGE = 4096  # qemu ends a block there

Code = tuple[str, ...]


@dataclass(frozen=True)
class Estimate:
    """Per run: instructions executed, and estimated cycles."""

    instructions: float
    cycles: float


def llvm_tool(name: str) -> str:
    """The newest installed llvm-mc or llvm-mca, 19 at least: older ones lack parts of the Neoverse N1 model."""
    found = [(int(path.name.rsplit("-", 1)[1]), str(path)) for path in Path("/usr/bin").glob(f"{name}-[0-9]*")]
    version, path = max(found, default=(0, ""))
    if version < 19:
        raise MissingToolError(f"{name} 19 or newer is missing: apt-get install llvm-19")
    return path


def may_branch(word: str) -> bool:
    """Whether an instruction is of the group of branches, exceptions and system calls."""
    return int(word, 16) >> 26 & 7 == 5


def join_at_pages(counted: dict[tuple[int, Code], int]) -> collections.Counter[Code]:
    """How often each block of code words ran, of {(address, code): runs}.

    A block that ends with its page, without a branch, goes on in the block behind: scheduled apart, the two would cost more than they do
    elsewhere, and figures would depend on where the linker puts a loop.
    """
    left = dict(counted)
    at = {address: (address, code) for address, code in counted}
    blocks: collections.Counter[Code] = collections.Counter()
    for address, code in sorted(counted):
        end = address + 4 * len(code)
        rest = at.get(end)
        runs = left[address, code]
        if rest is not None and end % PAGE == 0 and not may_branch(code[-1]) and runs <= left[rest]:
            left[rest] -= runs
            code += rest[1]
        blocks[code] += runs
    return +blocks


def count_blocks(plugin: Path, command: Sequence[str], folder: Path) -> collections.Counter[Code]:
    """Runs `command` under qemu; how often each block of code words ran."""
    counted: dict[tuple[int, Code], int] = {}
    for line in run_counted(plugin, command, folder):
        address, runs, *code = line.split()
        counted[int(address, 16), tuple(code)] = int(runs)
    return join_at_pages(counted)


def block_cycles(code: Code) -> float:
    """llvm-mca's steady-state cycles of one pass over a block; half a cycle an instruction where it cannot be decoded."""
    text = "\n".join(" ".join(f"0x{word[i : i + 2]}" for i in (6, 4, 2, 0)) for word in code)
    options = ["--disassemble", "-triple=aarch64", f"-mattr={MATTR}"]
    listing = subprocess.run([llvm_tool("llvm-mc"), *options], input=text, text=True, capture_output=True, check=False).stdout
    lines = [line for line in listing.splitlines() if line.startswith("\t") and ".text" not in line]
    if len(lines) != len(code):
        return len(code) / 2
    options = ["-mtriple=aarch64", "-mcpu=neoverse-n1", f"-iterations={ITERATIONS}", "--instruction-info=0", "--resource-pressure=0"]
    run = subprocess.run([llvm_tool("llvm-mca"), *options], input="\n".join(lines), text=True, capture_output=True, check=False)
    match = re.search(r"Total Cycles:\s+(\d+)", run.stdout)
    return int(match[1]) / ITERATIONS if match else len(code) / 2


def schedule(blocks: collections.Counter[Code]) -> tuple[int, float]:
    """(instructions, estimated cycles) of all blocks."""
    total = sum(runs * len(code) for code, runs in blocks.items())
    hot: list[Code] = []
    seen = 0
    for code, runs in sorted(blocks.items(), key=lambda item: -item[1] * len(item[0])):
        if seen >= COVERED * total:
            break
        hot.append(code)
        seen += runs * len(code)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        costs = list(pool.map(block_cycles, hot))
    cycles = sum(cost * blocks[code] for cost, code in zip(costs, hot, strict=True))
    return total, cycles * total / seen if seen else 0.0


def steady_state(once: Sequence[str], more: Sequence[str], repeats: int) -> Estimate:
    """What one repeat costs: `more` runs the net `repeats` times oftener than `once`; start-up cancels out."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plugin = build_plugin("blocks", folder)
        first = count_blocks(plugin, once, folder)
        blocks = count_blocks(plugin, more, folder)
        blocks.subtract(first)
        instructions, cycles = schedule(+blocks)
    return Estimate(instructions / repeats, cycles / repeats)
