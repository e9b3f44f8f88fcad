"""How units are stained, laid out and joined: what several views have in common."""
