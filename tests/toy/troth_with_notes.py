"""``troth``, with the duty `notes`."""

from troth.service import duty

duty.DUTIES += ("notes",)

if __name__ == "__main__":
    from troth.cli import main

    main()
