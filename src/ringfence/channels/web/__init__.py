"""The web page: files that are served as they are written. Extra `server`."""
