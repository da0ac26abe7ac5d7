"""Files that show a run: contact sheets, posters, pages. Values in, bytes out; opens no video."""
