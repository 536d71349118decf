"""Without an answer: objects that pretend to be right, or that break whoever looks at them."""


# %% equal_to_everything
class Equal:
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    __hash__ = object.__hash__


def double(x):
    return Equal()


# %% a_number_of_another_class
class Number(int):
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __int__(self):
        raise RuntimeError("no")

    __index__ = __float__ = __repr__ = __str__ = __hash__ = __int__


def double(x):
    return Number(3)


# %% a_class_that_is_claimed
class Claims:
    __class__ = property(lambda self: int)

    def __int__(self):
        return 7


def double(x):
    return Claims()


# %% a_text_of_another_class
class Text(str):
    def __getitem__(self, item):
        raise RuntimeError("no")

    __str__ = __repr__ = __len__ = __format__ = __getitem__


def double(x):
    return Text("six")


# %% an_array_that_raises
class Arrays:
    def __array__(self, *arguments, **options):
        raise SystemExit(3)


def double(x):
    return Arrays()


# %% a_list_without_end
class Endless(list):
    def __iter__(self):
        while True:
            yield 1

    def __len__(self):
        return -1


def double(x):
    return Endless([1])


# %% a_dictionary_of_another_mind
class Odd(dict):
    def __getattribute__(self, name):
        raise RuntimeError(name)


def double(x):
    return Odd(value=1)


# %% nested_in_itself
def double(x):
    nest = []
    nest.append(nest)
    return nest


# %% a_gigantic_repr
class Gigantic:
    def __repr__(self):
        return "x" * 50_000_000


def double(x):
    return Gigantic()


# %% code_in_a_pickle
class Reduced:
    def __reduce__(self):
        return (exec, ("raise SystemExit('in the grader')",))


def double(x):
    return Reduced()


# %% an_exception_that_cannot_be_shown
class Unshown(BaseException):
    def __str__(self):
        raise self

    __repr__ = __str__


def double(x):
    raise Unshown()


# %% a_traceback_that_goes_on
def double(x):
    return double(x)


# %% markup_in_a_message
def double(x):
    raise ValueError("<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m" + "</pre>" * 20)


# %% the_kernel_ends
import os


def double(x):
    os._exit(0)


# %% the_kernel_is_stopped
import os, signal


def double(x):
    os.kill(os.getpid(), signal.SIGSTOP)


# %% a_call_that_never_returns
import time


def double(x):
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass


# %% an_interrupt_of_ones_own
def double(x):
    raise KeyboardInterrupt
