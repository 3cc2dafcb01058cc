"""`python -m lotlaw` is the command `lotlaw`."""

from lotlaw.cli import main

if __name__ == "__main__":
    main()
