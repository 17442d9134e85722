//! Which types have a rule, and the lookup that every object of every other type has to pass.
//!
//! Types are listed by module and qualname, so that nothing is imported to know them. The first object of a type is looked
//! up by these names; the verdict is kept under the address of the type together with its version tag, which the
//! interpreter gives out once only (`Objects/typeobject.c`, `assign_version_tag`): a changed type, or another one at the same
//! address, has another tag or none.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::OnceLock;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use super::{
    Answer, enums, exceptions, files, functools, generators, instances, iterators, locks, methods, refused, singletons,
    stated, text, typing, variables, views, weak,
};
use crate::ffi::class::{flags, own};
use crate::ffi::kind::type_tag;
use crate::policy;

/// What becomes of an object.
pub(super) type Rule = for<'py> fn(&Bound<'py, PyAny>) -> Answer<'py>;

/// Whether a rule holds for derived types, too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    /// This type only.
    Exact,
    /// Derived types that did not define a reduction of their own.
    Heirs,
    /// Derived types, whatever they define: the rule looks for itself.
    All,
}
use For::{All, Exact, Heirs};

/// Module, qualname, reach and rule of each type.
const TABLE: &[(&str, &str, For, Rule)] = &[
    ("", "", Exact, instances::guarded),
    ("_asyncio", "Future", Heirs, |it| refused::with(it, "it belongs to an event loop")),
    ("_asyncio", "Task", Heirs, |it| refused::with(it, "it is running in an event loop")),
    ("_contextvars", "Context", Exact, variables::context),
    ("_contextvars", "ContextVar", Exact, variables::variable),
    ("_contextvars", "Token", Exact, |it| refused::with(it, "it resets a variable in the context that made it only")),
    ("_functools", "_lru_cache_wrapper", Exact, functools::lru_cache),
    ("_io", "BufferedRandom", Exact, files::binary),
    ("_io", "BufferedReader", Exact, files::binary),
    ("_io", "BufferedWriter", Exact, files::binary),
    ("_io", "FileIO", Exact, files::binary),
    ("_io", "TextIOWrapper", Exact, files::text),
    ("_queue", "SimpleQueue", Exact, |it| locks::unless_refused(it, locks::simple_queue)),
    ("_sre", "SRE_Scanner", Exact, refused::hidden_state),
    ("_struct", "Struct", Heirs, text::structure),
    ("_struct", "unpack_iterator", Exact, refused::hidden_state),
    ("_thread", "RLock", Exact, |it| locks::unless_refused(it, locks::rlock)),
    ("_thread", "_ThreadHandle", Exact, |it| refused::with(it, "a thread runs in the process that started it")),
    ("_thread", "_local", Heirs, |it| locks::unless_refused(it, locks::local)),
    ("_thread", "lock", Exact, |it| locks::unless_refused(it, locks::lock)),
    ("_weakrefset", "WeakSet", Heirs, weak::set),
    ("builtins", "BaseException", All, exceptions::exception),
    ("builtins", "CallableProxyType", Exact, weak::proxy),
    ("builtins", "Context", Exact, variables::context),
    ("builtins", "ContextVar", Exact, variables::variable),
    ("builtins", "PyCapsule", Exact, |it| refused::with(it, "it is an address in this process")),
    ("builtins", "Token", Exact, |it| refused::with(it, "it resets a variable in the context that made it only")),
    ("builtins", "async_generator", Exact, generators::async_generator),
    ("builtins", "classmethod", Heirs, methods::class_or_static),
    ("builtins", "classmethod_descriptor", Exact, methods::descriptor),
    ("builtins", "coroutine", Exact, generators::coroutine),
    ("builtins", "dict_items", Exact, views::dict_view),
    ("builtins", "dict_keys", Exact, views::dict_view),
    ("builtins", "dict_values", Exact, views::dict_view),
    ("builtins", "frame", Exact, |it| refused::with(it, "it is part of a running program")),
    ("builtins", "generator", Exact, generators::generator),
    ("builtins", "getset_descriptor", Exact, methods::descriptor),
    ("builtins", "mappingproxy", Exact, views::mapping_proxy),
    ("builtins", "member_descriptor", Exact, methods::descriptor),
    ("builtins", "memory_iterator", Exact, refused::hidden_state),
    ("builtins", "memoryview", Exact, views::memory),
    ("builtins", "odict_items", Exact, views::dict_view),
    ("builtins", "odict_keys", Exact, views::dict_view),
    ("builtins", "odict_values", Exact, views::dict_view),
    ("builtins", "property", Heirs, methods::property),
    ("builtins", "staticmethod", Heirs, methods::class_or_static),
    ("builtins", "super", Exact, methods::superior),
    ("builtins", "traceback", Exact, |it| refused::with(it, "its frames are part of a running program")),
    ("builtins", "weakproxy", Exact, weak::proxy),
    ("builtins", "weakref", Exact, weak::reference),
    ("codecs", "CodecInfo", Exact, text::codec),
    ("concurrent.futures._base", "Future", Exact, |it| locks::unless_refused(it, locks::future)),
    ("dataclasses", "_FIELD_BASE", Exact, |it| {
        singletons::of(it, "dataclasses", &["_FIELD", "_FIELD_CLASSVAR", "_FIELD_INITVAR"])
    }),
    ("dataclasses", "_HAS_DEFAULT_FACTORY_CLASS", Exact, |it| {
        singletons::of(it, "dataclasses", &["_HAS_DEFAULT_FACTORY"])
    }),
    ("dataclasses", "_KW_ONLY_TYPE", Exact, |it| singletons::of(it, "dataclasses", &["KW_ONLY"])),
    ("dataclasses", "_MISSING_TYPE", Exact, |it| singletons::of(it, "dataclasses", &["MISSING"])),
    ("enum", "Enum", All, enums::member),
    ("functools", "KeyWrapper", Exact, functools::comparison_key),
    ("functools", "_lru_cache_wrapper", Exact, functools::lru_cache),
    ("functools", "partialmethod", Exact, functools::partial_method),
    ("itertools", "accumulate", Exact, iterators::unlisted),
    ("itertools", "batched", Exact, iterators::unlisted),
    ("itertools", "chain", Exact, iterators::chain),
    ("itertools", "combinations", Exact, iterators::unlisted),
    ("itertools", "combinations_with_replacement", Exact, iterators::unlisted),
    ("itertools", "compress", Exact, iterators::compress),
    ("itertools", "count", Exact, iterators::count),
    ("itertools", "cycle", Exact, iterators::unlisted),
    ("itertools", "dropwhile", Exact, iterators::unlisted),
    ("itertools", "filterfalse", Exact, iterators::filter_false),
    ("itertools", "groupby", Exact, iterators::unlisted),
    ("itertools", "islice", Exact, iterators::unlisted),
    ("itertools", "pairwise", Exact, iterators::pairwise),
    ("itertools", "permutations", Exact, iterators::unlisted),
    ("itertools", "product", Exact, iterators::unlisted),
    ("itertools", "repeat", Exact, iterators::repeat),
    ("itertools", "starmap", Exact, iterators::star_map),
    ("itertools", "takewhile", Exact, iterators::unlisted),
    ("itertools", "zip_longest", Exact, iterators::unlisted),
    ("itertools", "_grouper", Exact, iterators::unlisted),
    ("itertools", "_tee", Exact, iterators::unlisted),
    ("os", "_Environ", Exact, |it| singletons::of(it, "os", &["environ", "environb"])),
    ("queue", "LifoQueue", Exact, |it| locks::unless_refused(it, locks::queue)),
    ("queue", "PriorityQueue", Exact, |it| locks::unless_refused(it, locks::queue)),
    ("queue", "Queue", Exact, |it| locks::unless_refused(it, locks::queue)),
    ("random", "Random", Exact, |it| singletons::of(it, "random", &["_inst"])),
    ("random", "SystemRandom", Heirs, text::system_random),
    ("re", "Match", Exact, text::found),
    ("subprocess", "Popen", Heirs, |it| refused::with(it, "the process it stands for is a child of this one")),
    ("sys", "flags", Exact, |it| singletons::of(it, "sys", &["flags"])),
    ("sys", "float_info", Exact, |it| singletons::of(it, "sys", &["float_info"])),
    ("sys", "hash_info", Exact, |it| singletons::of(it, "sys", &["hash_info"])),
    ("sys", "int_info", Exact, |it| singletons::of(it, "sys", &["int_info"])),
    ("sys", "thread_info", Exact, |it| singletons::of(it, "sys", &["thread_info"])),
    ("sys", "version_info", Exact, |it| singletons::of(it, "sys", &["version_info"])),
    ("tempfile", "_TemporaryFileCloser", Exact, |it| refused::with(it, "the file goes when it is closed here")),
    ("threading", "Barrier", Exact, |it| locks::unless_refused(it, locks::barrier)),
    ("threading", "BoundedSemaphore", Exact, |it| locks::unless_refused(it, locks::semaphore)),
    ("threading", "Condition", Exact, |it| locks::unless_refused(it, locks::condition)),
    ("threading", "Event", Exact, |it| locks::unless_refused(it, locks::event)),
    ("threading", "Semaphore", Exact, |it| locks::unless_refused(it, locks::semaphore)),
    ("threading", "Thread", Heirs, |it| locks::unless_refused(it, locks::thread)),
    ("threading", "_RLock", Exact, |it| locks::unless_refused(it, locks::rlock)),
    ("types", "SimpleNamespace", Exact, |it| singletons::of(it, "sys", &["implementation"])),
    ("typing", "NewType", Exact, typing::new_type),
    ("typing", "ParamSpec", Exact, typing::parameter),
    ("typing", "ParamSpecArgs", Exact, typing::parameter_part),
    ("typing", "ParamSpecKwargs", Exact, typing::parameter_part),
    ("typing", "TypeAliasType", Exact, typing::alias),
    ("typing", "TypeVar", Exact, typing::parameter),
    ("typing", "TypeVarTuple", Exact, typing::parameter),
    ("weakref", "CallableProxyType", Exact, weak::proxy),
    ("weakref", "KeyedRef", Exact, weak::reference),
    ("weakref", "ProxyType", Exact, weak::proxy),
    ("weakref", "ReferenceType", Heirs, weak::reference),
    ("weakref", "WeakKeyDictionary", Heirs, weak::key_dictionary),
    ("weakref", "WeakMethod", Exact, weak::method),
    ("weakref", "WeakValueDictionary", Heirs, weak::value_dictionary),
];

/// A verdict: the type's address, its version tag, and the place in the table plus one, or zero for no rule.
type Seen = (usize, u32, u16);

/// How many verdicts each thread keeps; a power of two. Types that share a place push each other out.
const PLACES: usize = 256;

thread_local! {
    static SEEN: [Cell<Seen>; PLACES] = const { [const { Cell::new((0, 0, 0)) }; PLACES] };
}

/// The rule for the type of `object`.
#[inline]
pub(super) fn rule_of(py: Python<'_>, object: &Bound<'_, PyAny>) -> PyResult<Option<Rule>> {
    let (address, tag) = type_tag(object);
    let place = (address >> 4 ^ address >> 13) % PLACES;
    let (known, at, verdict) = SEEN.with(|seen| seen[place].get());
    let verdict = if known == address && at == tag && tag != 0 { verdict } else { classify(py, object, place)? };
    Ok(match verdict {
        0 => None,
        at => Some(TABLE[usize::from(at) - 1].3),
    })
}

#[cold]
#[inline(never)]
fn classify(py: Python<'_>, object: &Bound<'_, PyAny>, place: usize) -> PyResult<u16> {
    let class = object.get_type();
    let verdict = verdict(py, &class)?;
    // The lookups above have given the type a tag, unless the interpreter has run out of them.
    let (address, tag) = type_tag(object);
    SEEN.with(|seen| seen[place].set((address, tag, verdict)));
    Ok(verdict)
}

fn verdict(py: Python<'_>, class: &Bound<'_, PyType>) -> PyResult<u16> {
    static PLACES: OnceLock<HashMap<(&str, &str), u16>> = OnceLock::new();
    let places =
        PLACES.get_or_init(|| TABLE.iter().zip(1..).map(|((module, name, ..), at)| ((*module, *name), at)).collect());
    for (depth, base) in class.mro().iter().enumerate() {
        let Ok(base) = base.cast_into::<PyType>() else { continue };
        let (Ok(module), Ok(name)) = (
            stated(&base, intern!(py, "__module__")).and_then(|it| Ok(it.cast_into::<PyString>()?)),
            stated(&base, intern!(py, "__qualname__")).and_then(|it| Ok(it.cast_into::<PyString>()?)),
        ) else {
            continue;
        };
        let (Ok(module_text), Ok(name_text)) = (module.to_str(), name.to_str()) else { continue };
        let Some(at) = places.get(&(module_text, name_text)) else { continue };
        if !is_genuine(py, &base, &module, &name)? {
            continue;
        }
        let reach = TABLE[usize::from(*at) - 1].2;
        if depth == 0 || reach == All || reach == Heirs && inherits_reduction(class, &base)? {
            return Ok(*at);
        }
    }
    // The first place is for classes that answer for every attribute.
    Ok(u16::from(instances::answers_for_everything(class)?))
}

/// Whether `class` is what `module.name` means, and no namesake.
fn is_genuine(
    py: Python<'_>,
    class: &Bound<'_, PyType>,
    module: &Bound<'_, PyString>,
    name: &Bound<'_, PyString>,
) -> PyResult<bool> {
    if !is_python_made(class)? {
        return Ok(true);
    }
    match policy::loaded(py, module.as_any())? {
        Some(module) => Ok(policy::resolve(&module, name)?.is_some_and(|it| it.is(class))),
        None => Ok(false),
    }
}

/// Whether `class` may have been made by Python code: it lives on the heap and can be changed.
pub(super) fn is_python_made(class: &Bound<'_, PyType>) -> PyResult<bool> {
    const IMMUTABLE_TYPE: u64 = 1 << 8;
    const HEAP_TYPE: u64 = 1 << 9;
    Ok(flags(class) & (HEAP_TYPE | IMMUTABLE_TYPE) == HEAP_TYPE)
}

fn inherits_reduction(class: &Bound<'_, PyType>, base: &Bound<'_, PyType>) -> PyResult<bool> {
    let py = class.py();
    for name in [
        intern!(py, "__reduce_ex__"),
        intern!(py, "__reduce__"),
        intern!(py, "__getstate__"),
        intern!(py, "__setstate__"),
        intern!(py, "__getnewargs__"),
        intern!(py, "__getnewargs_ex__"),
    ] {
        let (mine, theirs) = (found(class, name)?, found(base, name)?);
        let same = match (mine, theirs) {
            (None, None) => true,
            (Some(mine), Some(theirs)) => mine.is(&theirs),
            _ => false,
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What the classes of `class` define under `name`, as it stands in their namespaces.
pub(super) fn found<'py>(
    class: &Bound<'py, PyType>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    for base in class.mro().iter() {
        if let Some(found) = own(&base.cast_into()?, name)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
