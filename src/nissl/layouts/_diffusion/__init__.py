"""What diffusion is made of: a kernel within and across epochs, steps along it, and its distances laid out."""
