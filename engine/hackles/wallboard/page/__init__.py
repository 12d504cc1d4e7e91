"""The wallboard's page: what a browser loads, and its words in English, Polish and Spanish."""
