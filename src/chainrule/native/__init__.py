"""Kernels as native code: loop nests, their LLVM text, products of matrices, threads, calls."""
