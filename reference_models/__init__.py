"""What the course knows to be right: NumPy oracles for hidden tests, Keras models of honest students.

Secret, like everything in `solutions/`: none of it travels with a release or with the wheel.
"""
