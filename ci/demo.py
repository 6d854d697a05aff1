"""Placeholder: shows that what was built imports."""

import mint

if __name__ == "__main__":
    print(f"mint {mint.__version__}")
