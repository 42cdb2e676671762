"""Reports: building blocks of HTML pages and text tables."""
