"""Other programs that grades and pages go to. Each package here is the only place that knows its program."""
