from capers._core import DEFAULT_PROTOCOL as DEFAULT_PROTOCOL
from capers._core import HIGHEST_PROTOCOL as HIGHEST_PROTOCOL
from capers._core import LOCAL_MODULES as LOCAL_MODULES
from capers._core import CannotPickleError as CannotPickleError
from capers._core import LimitError as LimitError
from capers._core import Limits as Limits
from capers._core import PickleBuffer as PickleBuffer
from capers._core import PickleError as PickleError
from capers._core import Pickler as Pickler
from capers._core import PicklingError as PicklingError
from capers._core import Unpickler as Unpickler
from capers._core import UnpicklingError as UnpicklingError
from capers._core import dump as dump
from capers._core import dumps as dumps
from capers._core import list_registry_pickle_by_value as list_registry_pickle_by_value
from capers._core import load as load
from capers._core import loads as loads
from capers._core import register_pickle_by_value as register_pickle_by_value
from capers._core import register_reducer as register_reducer
from capers._core import set_large_payload_size as set_large_payload_size
from capers._core import unregister_pickle_by_value as unregister_pickle_by_value
from capers._core import unregister_reducer as unregister_reducer
from capers._progress import Progress as Progress
from capers._report import Capture as Capture
from capers._report import LargePayloadWarning as LargePayloadWarning
from capers._report import Report as Report
from capers._report import captures as captures
from capers._report import explain as explain

__version__: str
__all__ = [
    "DEFAULT_PROTOCOL",
    "HIGHEST_PROTOCOL",
    "LOCAL_MODULES",
    "CannotPickleError",
    "Capture",
    "LargePayloadWarning",
    "LimitError",
    "Limits",
    "PickleBuffer",
    "PickleError",
    "Pickler",
    "PicklingError",
    "Progress",
    "Report",
    "Unpickler",
    "UnpicklingError",
    "captures",
    "dump",
    "dumps",
    "explain",
    "list_registry_pickle_by_value",
    "load",
    "loads",
    "register_pickle_by_value",
    "register_reducer",
    "set_large_payload_size",
    "unregister_pickle_by_value",
    "unregister_reducer",
]
