"""How units come to lie evenly: the cells of a shape, filled by halves, then put right block by block."""
