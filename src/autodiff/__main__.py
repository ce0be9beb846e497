"""`python -m autodiff` is the command `autodiff`."""

from autodiff.cli.main import main

if __name__ == "__main__":
    main()
