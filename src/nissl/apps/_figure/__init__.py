"""The painter's hands: one small function a kind of mark."""
