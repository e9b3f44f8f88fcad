"""Builds the kernel, and says of the package what README says; everything else is in pyproject.toml.

The kernel is optional: without it nissl uses torch's own operations.
"""

import os
import re
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError

FOLDER = "src/nissl/adapters/_torch"
FAST = ["-O3", "-g0", "-std=c11", "-fopenmp-simd", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"]
ANY = ["-O3"]
NOTE = """*This is the README of nissl's source. Its pictures, and the files that it names, are in the source archive. Instead of `make demo` in a
clone: `pip install "nissl[torch,plots,view]"`, then `nissl demo` in any folder.*"""


def description(readme: str) -> str:
    """README as a package index shows it, which resolves nothing relative: without pictures, links as names of files."""
    title, _, text = readme.partition("\n\n")
    text = re.sub(r"^!\[[^]]*\]\((?!https?:)[^)]+\)\n\n\*[^*]+\*\n\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"\[(?:how|more)\]\((?!https?:|#)([^)#]+)[^)]*\)", r"`\1`", text)
    text = re.sub(r"\[([^]]+)\]\((?!https?:|#)([^)#]+)[^)]*\)", r"\1 (`\2`)", text)
    return f"{title}\n\n{NOTE}\n\n{text}"


class BuildKernel(build_ext):
    """Tries the flags that make it fast, then what any compiler knows, then says in one line that there is no kernel."""

    def build_extensions(self) -> None:
        """Without the address of the library of the Python that builds, which is nowhere on another machine."""
        words = getattr(self.compiler, "linker_so", None)
        if words:
            self.compiler.linker_so = [word for word in words if not word.startswith("-Wl,-rpath")]
        super().build_extensions()

    def build_extension(self, ext: Any) -> None:
        for ext.extra_compile_args in [["/O2"]] if self.compiler.compiler_type == "msvc" else [FAST, ANY]:
            try:
                super().build_extension(ext)
            except (BaseError, CCompilerError) as error:
                problem = error
            else:
                return
        self.warn(f"no compiled kernel for torch on the processor, its own operations are used instead: {problem}")


kernel = Extension(
    "nissl.adapters._torch._sums",
    [f"{FOLDER}/_sums.c"],
    depends=[f"{FOLDER}/_kernel.h"],
    libraries=[] if os.name == "nt" else ["m"],
    py_limited_api=True,
    optional=True,
)
setup(
    long_description=description(Path(__file__).with_name("README.md").read_text(encoding="utf-8")),
    long_description_content_type="text/markdown",
    ext_modules=[kernel],
    cmdclass={"build_ext": BuildKernel},
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
