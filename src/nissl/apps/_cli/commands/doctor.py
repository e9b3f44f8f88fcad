"""`nissl doctor`."""


def doctor() -> None:
    """What is installed, what works, and how to get the rest."""
    from nissl.apps._cli import screens
    from nissl.studies.doctor import doctor as study

    screens.findings(study())
