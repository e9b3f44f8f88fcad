"""How a page is handed out: by a server, as a folder, in one file."""
