"""How well portraits are drawn: what the network says of them, what one of another seed says, and how real they are.

One file of `_portraits/` a group of rows; every row says what there is to reach, and the peer's way stands in the same run. With
--quick nothing is written.
"""

from _grouped import run

if __name__ == "__main__":
    run(__doc__, "_portraits", "portraits.json")
