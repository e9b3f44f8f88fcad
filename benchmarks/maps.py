"""How good and how quick maps are, of units and of samples over time, and the profiles that they are made of.

One file of `_maps/` a group of rows; `python benchmarks/maps.py projections` runs some of them. Every row says what there is to
reach; peers stand beside it in the same run. With --quick nothing is written.
"""

from _grouped import run

if __name__ == "__main__":
    run(__doc__, "_maps", "maps.json")
