"""What pictures of samples are made of: the ground between them, the points, small photographs, the legend."""
