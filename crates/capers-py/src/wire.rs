//! The names that capers itself writes into payloads.
//!
//! The constructors live in `python/capers/_rebuild.py`, which is also their specification; the rest are names of the
//! standard library. Here each has a number, so that a payload spells it once.

macro_rules! wire {
    ($($(#[$doc:meta])* $variant:ident = $module:literal, $name:literal;)+) => {
        /// A global that capers writes on its own account.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Wire { $($(#[$doc])* $variant,)+ }

        impl Wire {
            /// Module and name, as `find_class` gets them.
            pub(crate) fn names(self) -> (&'static str, &'static str) {
                match self { $(Self::$variant => ($module, $name),)+ }
            }
        }
    };
}

wire! {
    AbcRegister = "capers._rebuild", "abc_register";
    Cell = "capers._rebuild", "cell";
    Class = "capers._rebuild", "class_";
    ClassAttribute = "capers._rebuild", "class_attribute";
    Code = "capers._rebuild", "code";
    ComparisonKey = "capers._rebuild", "comparison_key";
    Descriptor = "capers._rebuild", "descriptor";
    EnumAttributes = "capers._rebuild", "enum_attributes";
    EnumMember = "capers._rebuild", "enum_member";
    EnumMembers = "capers._rebuild", "enum_members";
    Function = "capers._rebuild", "function";
    Imported = "capers._rebuild", "imported";
    LruCache = "capers._rebuild", "lru_cache";
    Module = "capers._rebuild", "module";
    ModuleDict = "capers._rebuild", "module_dict";
    Namespace = "capers._rebuild", "namespace";
    Register = "capers._rebuild", "register";
    SingleDispatch = "capers._rebuild", "singledispatch";
    Named = "capers._rebuild", "named";
    Chained = "capers._rebuild", "chained";
    Pairs = "capers._rebuild", "pairs";
    ContextValues = "capers._rebuild", "context_values";
    ContextVariable = "capers._rebuild", "context_variable";
    DeadProxy = "capers._rebuild", "dead_proxy";
    DeadReference = "capers._rebuild", "dead_reference";
    DictView = "capers._rebuild", "dict_view";
    Exception = "capers._rebuild", "exception";
    ExceptionState = "capers._rebuild", "exception_state";
    File = "capers._rebuild", "file";
    FileOver = "capers._rebuild", "file_over";
    HiddenType = "capers._rebuild", "hidden_type";
    Match = "capers._rebuild", "match";
    Memory = "capers._rebuild", "memory";
    Put = "capers._rebuild", "put";
    Subclassed = "capers._rebuild", "subclassed";
    Thread = "capers._rebuild", "thread";
    ThreadLocal = "capers._rebuild", "thread_local";
    TypeAlias = "capers._rebuild", "type_alias";
    TypeVariable = "capers._rebuild", "type_variable";
    Unstarted = "capers._rebuild", "unstarted";
    Ufunc = "capers._rebuild", "ufunc";
    WeakItems = "capers._rebuild", "weak_items";
    WeakMethod = "capers._rebuild", "weak_method";
    ClassMethod = "builtins", "classmethod";
    StaticMethod = "builtins", "staticmethod";
    Property = "builtins", "property";
    Getattr = "builtins", "getattr";
    Super = "builtins", "super";
    Vars = "builtins", "vars";
    Condition = "threading", "Condition";
    Barrier = "threading", "Barrier";
    BoundedSemaphore = "threading", "BoundedSemaphore";
    Event = "threading", "Event";
    Lock = "threading", "Lock";
    RLock = "threading", "RLock";
    Semaphore = "threading", "Semaphore";
    Future = "concurrent.futures", "Future";
    Queue = "queue", "Queue";
    LifoQueue = "queue", "LifoQueue";
    PriorityQueue = "queue", "PriorityQueue";
    SimpleQueue = "queue", "SimpleQueue";
    Context = "contextvars", "Context";
    Codec = "codecs", "lookup";
    CPointer = "ctypes", "POINTER";
    CFunction = "ctypes", "CFUNCTYPE";
    Multiply = "operator", "mul";
    MappingProxy = "types", "MappingProxyType";
    Struct = "struct", "Struct";
    NewType = "typing", "NewType";
    WeakReference = "weakref", "ref";
    WeakProxy = "weakref", "proxy";
    KeyedReference = "weakref", "KeyedRef";
    WeakKeyDictionary = "weakref", "WeakKeyDictionary";
    WeakValueDictionary = "weakref", "WeakValueDictionary";
    WeakSet = "weakref", "WeakSet";
    Compress = "itertools", "compress";
    Count = "itertools", "count";
    FilterFalse = "itertools", "filterfalse";
    Repeat = "itertools", "repeat";
    StarMap = "itertools", "starmap";
    PartialMethod = "functools", "partialmethod";
    /// A bound method.
    Method = "types", "MethodType";
    /// Bytes in protocols without bytes.
    Encode = "_codecs", "encode";
}
