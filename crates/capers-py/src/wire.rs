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
            /// Module and name, as find_class gets them.
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
    EnumMembers = "capers._rebuild", "enum_members";
    Function = "capers._rebuild", "function";
    Imported = "capers._rebuild", "imported";
    LruCache = "capers._rebuild", "lru_cache";
    Module = "capers._rebuild", "module";
    ModuleDict = "capers._rebuild", "module_dict";
    Namespace = "capers._rebuild", "namespace";
    Register = "capers._rebuild", "register";
    SingleDispatch = "capers._rebuild", "singledispatch";
    ClassMethod = "builtins", "classmethod";
    StaticMethod = "builtins", "staticmethod";
    Property = "builtins", "property";
    /// A bound method.
    Method = "types", "MethodType";
    /// Bytes in protocols without bytes.
    Encode = "_codecs", "encode";
}
