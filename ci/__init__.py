"""Scripts that build and check the project; you can also run each of them yourself."""
