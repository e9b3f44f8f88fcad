"""How fast attributions come, and in how much memory: beside loops over single images, and captum where it is installed.

One file of `_attribution/` a group of rows. Times are seconds of the processor, medians of
interleaved rounds on one thread, to which other work on the machine does little; a network that is kept is
asked, as a peer's object is. pytorch-grad-cam can't be imported without torchvision, so it is not here. With --quick nothing is
written.
"""

from _grouped import run

if __name__ == "__main__":
    run(__doc__, "_attribution", "attribution.json")
