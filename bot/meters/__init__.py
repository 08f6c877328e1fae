"""What measures physical hosts."""
