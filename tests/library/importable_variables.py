"""Variables that can be imported: context variables, one of them under another name than its own, and a dict."""

import contextvars

request_id = contextvars.ContextVar("request_id", default=0)
other = contextvars.ContextVar("mine")

settings = {"depth": 1}
