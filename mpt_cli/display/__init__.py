"""What people and programs see; the only code that uses rich. Imports row 0 only."""
