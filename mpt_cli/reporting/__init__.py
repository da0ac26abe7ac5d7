"""Reports of a run: JSON, contact sheets, posters, HTML pages, JUnit and Prometheus files. Opens no video."""
