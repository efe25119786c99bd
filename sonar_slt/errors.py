"""The one error that is the user's to mend.

Everything else that goes wrong is a fault of ours and keeps its traceback.
"""


class UserError(ValueError):
    """The user's input is wrong.

    The message is one clear sentence: what was wrong, what was expected, and the command that lists the choices.
    The command line prints it without a traceback and ends with exit code 2.
    """
