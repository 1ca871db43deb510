"""What decides: signatures, records, listings. No I/O and no framework."""
