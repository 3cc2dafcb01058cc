"""`python -m lotlaw` is the command `lotlaw`."""

from lotlaw.cli import process

if __name__ == "__main__":
    process()
