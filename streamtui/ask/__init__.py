"""The engine of `streamtui ask`: one prompt, with the reply on stdout."""
