"""One prompt, answered on stdout: the conversation without a screen."""
