//! Constructors whose calls mean more than a call: those of capers' own wire format, and of cloudpickle.
//!
//! The names are read from the payload and from nowhere else; what is not known here is shown as the call that it is. The
//! wire names of capers are specified in `python/capers/_rebuild.py`.

/// What a call with a known constructor makes or does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A function: its code, its globals and its closure are arguments.
    Function,
    /// A code object from a version tag and marshal bytes.
    Code,
    /// A code object from the arguments of `types.CodeType`.
    CodeFields,
    /// A cell.
    Cell,
    /// The globals of functions.
    Namespace,
    /// A class.
    Class,
    /// A module.
    Module,
    /// A module that is imported by its name.
    Imported,
    /// Sets an attribute of a class.
    ClassAttribute,
    /// cloudpickle's way to give a function or a class its state.
    SetState,
    /// A built-in type that no module holds, by its name.
    Builtin,
    /// Anything else of these modules.
    Other,
}

/// Where the arguments of a constructor stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// What it makes.
    pub(super) role: Role,
    /// Its parameters by position; an empty name is shown by its number.
    pub(super) parameters: &'static [&'static str],
}

const fn shape(role: Role, parameters: &'static [&'static str]) -> Shape {
    Shape { role, parameters }
}

/// The constructor of this name, if it is a known one.
#[must_use]
pub(super) fn constructor(module: &[u8], name: &[u8]) -> Option<Shape> {
    match module {
        b"capers._rebuild" => Some(ours(name)),
        b"cloudpickle.cloudpickle" | b"cloudpickle.cloudpickle_fast" => Some(cloudpickles(name)),
        _ => None,
    }
}

fn ours(name: &[u8]) -> Shape {
    match name {
        b"function" => shape(Role::Function, &["code", "globals", "closure"]),
        b"code" => shape(Role::Code, &["tag", "data", "source", "constants"]),
        b"cell" => shape(Role::Cell, &["content"]),
        b"namespace" => shape(Role::Namespace, &["name", "builtins"]),
        b"class_" => {
            shape(Role::Class, &["key", "metaclass", "name", "bases", "namespace", "keywords", "body", "changes"])
        }
        b"class_attribute" => shape(Role::ClassAttribute, &["class", "name", "value"]),
        b"module_dict" => shape(Role::Namespace, &["module"]),
        b"module" => shape(Role::Module, &["name"]),
        b"imported" => shape(Role::Imported, &["name"]),
        _ => shape(Role::Other, &[]),
    }
}

fn cloudpickles(name: &[u8]) -> Shape {
    match name {
        b"_make_function" => shape(Role::Function, &["code", "globals", "name", "defaults", "closure"]),
        b"_make_empty_cell" | b"_make_cell" => shape(Role::Cell, &["content"]),
        b"_make_skeleton_class" | b"_make_skeleton_enum" => {
            shape(Role::Class, &["metaclass", "name", "bases", "keywords", "id"])
        }
        b"dynamic_subimport" => shape(Role::Module, &["name", "namespace"]),
        b"subimport" => shape(Role::Imported, &["name"]),
        b"_function_setstate" | b"_class_setstate" => shape(Role::SetState, &["object", "state"]),
        b"_builtin_type" => shape(Role::Builtin, &["name"]),
        _ => shape(Role::Other, &[]),
    }
}

/// Places of the arguments of `types.CodeType` from 3.11 on.
pub(super) mod field {
    /// Positional parameters.
    pub(in crate::inspect) const ARGUMENTS: u32 = 0;
    /// Those by position only.
    pub(in crate::inspect) const BY_POSITION: u32 = 1;
    /// Those by name only.
    pub(in crate::inspect) const BY_NAME: u32 = 2;
    /// Flags.
    pub(in crate::inspect) const FLAGS: u32 = 5;
    /// `co_names`.
    pub(in crate::inspect) const NAMES: u32 = 8;
    /// `co_varnames`.
    pub(in crate::inspect) const VARIABLES: u32 = 9;
    /// The file.
    pub(in crate::inspect) const FILE: u32 = 10;
    /// The name.
    pub(in crate::inspect) const NAME: u32 = 11;
    /// The qualname.
    pub(in crate::inspect) const QUALNAME: u32 = 12;
    /// The first line.
    pub(in crate::inspect) const LINE: u32 = 13;
    /// The free variables.
    pub(in crate::inspect) const FREE: u32 = 16;
}
