from autograder.integrations.nbgrader import configure

c = get_config()
configure(c)
