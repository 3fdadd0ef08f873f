"""Looking after the data as a whole: backup, restore, proof, moving to another database."""
