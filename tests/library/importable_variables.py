"""Context variables that can be imported, one of them under another name than its own."""

import contextvars

request_id = contextvars.ContextVar("request_id", default=0)
other = contextvars.ContextVar("mine")
