"""Files that tell of a run: contact sheets, posters, pages, and what CI and monitoring read. Opens no video."""
