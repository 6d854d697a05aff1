"""Scripts that build and check the project; people run them by hand too."""
