"""What the system is doing, as rows of numbers: no drawing here."""
