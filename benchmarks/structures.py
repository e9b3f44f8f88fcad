"""How well structures are found and cut: on networks whose structures are known, and on trained ones, held-out data.

One file of `_structures/` a group of rows; `python benchmarks/structures.py truths digits` runs some of them. Every row says
what there is to reach; peers (naive methods, exact ablation) stand beside it in the same run. With --quick
nothing is written.
"""

from _grouped import run

if __name__ == "__main__":
    run(__doc__, "_structures", "structures.json")
