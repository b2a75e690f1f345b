"""A duty of the tests: notes that programs leave for people. It uses every kind of registration there is."""
