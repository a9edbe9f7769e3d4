"""`python -m esc_oidc` is the command esc-oidc."""

from .cli import main

if __name__ == "__main__":
    main()
