//! What threads wait for: locks and all that is built on them. What arrives is new and free.
//!
//! Who holds a lock, or waits for it, stays with the process; what is data (the items of a queue, the flag of an event, the
//! result of a future) travels. The objects are made by their own constructors, not from their attributes, so that the
//! payload outlives changes to these.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString, PyTuple};

use super::refused::refusal;
use super::{
    Answer, Fill, Part, attributes, class_of, filled, instance_dict, is_exactly, made, named, own_attributes,
    referents, stored,
};
use crate::choices;
use crate::ffi::access::dict_get;
use crate::wire::Wire;

/// What `rule` makes of a lock or of something that is built on one, unless the caller wants such objects refused.
pub(super) fn unless_refused<'py>(
    object: &Bound<'py, PyAny>,
    rule: fn(&Bound<'py, PyAny>) -> Answer<'py>,
) -> Answer<'py> {
    if choices::are_locks_refused() {
        return Err(refusal(object, "locks='error' was asked for"));
    }
    rule(object)
}

pub(super) fn lock<'py>(_: &Bound<'py, PyAny>) -> Answer<'py> {
    made(Wire::Lock, Vec::new())
}

pub(super) fn rlock<'py>(_: &Bound<'py, PyAny>) -> Answer<'py> {
    made(Wire::RLock, Vec::new())
}

/// A condition over its lock, which other objects may share; nobody waits for it.
pub(super) fn condition<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    const INTERNALS: &[&str] =
        &["_lock", "acquire", "release", "_release_save", "_acquire_restore", "_is_owned", "_waiters"];
    let lock = attribute(object, "_lock")?;
    filled(Wire::Condition, vec![Part::Object(lock)], attributes(own_attributes(object, INTERNALS)?))
}

/// An event, set if it was.
pub(super) fn event<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let mut dict = own_attributes(object, &["_cond"])?;
    dict.retain(|(key, value)| !named(key, &["_flag"]) || value.is_truthy().unwrap_or(true));
    filled(Wire::Event, Vec::new(), attributes(dict))
}

/// A semaphore with its present value; a bounded one with all that it had, as nobody here will give back the rest.
pub(super) fn semaphore<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let bounded = is_exactly(object, "threading", "BoundedSemaphore")?;
    let value = attribute(object, if bounded { "_initial_value" } else { "_value" })?;
    let make = if bounded { Wire::BoundedSemaphore } else { Wire::Semaphore };
    let dict = own_attributes(object, &["_cond", "_value", "_initial_value"])?;
    filled(make, vec![Part::Object(value)], attributes(dict))
}

/// A barrier that nobody has come to.
pub(super) fn barrier<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let mut args = Vec::new();
    for name in ["_parties", "_action", "_timeout"] {
        args.push(Part::Object(attribute(object, name)?));
    }
    let dict = own_attributes(object, &["_cond", "_parties", "_action", "_timeout", "_state", "_count"])?;
    filled(Wire::Barrier, args, attributes(dict))
}

/// A queue with its items.
pub(super) fn queue<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let make = if is_exactly(object, "queue", "Queue")? {
        Wire::Queue
    } else if is_exactly(object, "queue", "LifoQueue")? {
        Wire::LifoQueue
    } else {
        Wire::PriorityQueue
    };
    let size = attribute(object, "maxsize")?;
    let mut dict = own_attributes(object, &["maxsize", "mutex", "not_empty", "not_full", "all_tasks_done"])?;
    dict.retain(|(key, value)| !named(key, &["is_shutdown"]) || value.is_truthy().unwrap_or(true));
    filled(make, vec![Part::Object(size)], attributes(dict))
}

/// A queue that shows its items to the garbage collector only.
pub(super) fn simple_queue<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let waiting: usize = object.call_method0(intern!(py, "qsize"))?.extract()?;
    let mut items = referents(object)?;
    // Before 3.13 there is one list, whose first items may have been taken; later the items themselves.
    #[cfg(not(Py_3_13))]
    {
        items = match items.first().map(|list| list.cast::<pyo3::types::PyList>()) {
            Some(Ok(list)) => list.iter().collect(),
            _ => Vec::new(),
        };
    }
    if items.len() < waiting {
        return Err(refusal(object, "its items cannot be seen"));
    }
    let items = items.split_off(items.len() - waiting);
    let mut fills = Vec::new();
    if !items.is_empty() {
        let mut args = vec![Part::Object(object.clone())];
        args.extend(items.into_iter().map(Part::Object));
        fills.push(Fill::Call { make: Wire::Put, args });
    }
    filled(Wire::SimpleQueue, Vec::new(), fills)
}

/// A future: done as it was, or pending with nobody waiting.
pub(super) fn future<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let mut dict = own_attributes(object, &["_condition", "_waiters", "_done_callbacks"])?;
    let state = attribute(object, "_state")?.str()?;
    let done = matches!(state.to_string_lossy().as_ref(), "CANCELLED" | "CANCELLED_AND_NOTIFIED" | "FINISHED");
    dict.retain(|(key, value)| {
        let empty = named(key, &["_result", "_exception"]) && value.is_none();
        !empty && (done || !named(key, &["_state"]))
    });
    filled(Wire::Future, Vec::new(), attributes(dict))
}

/// Thread-local data: the attributes of this thread.
pub(super) fn local<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let mut args = vec![class_of(object)];
    // What a derived class is initialized with in other threads: its arguments come first among the referents.
    if !is_exactly(object, "_thread", "_local")? {
        let held = referents(object)?;
        let mut held = held.into_iter();
        let mut next = held.next();
        let positional = next.clone().and_then(|it| it.cast_into_exact::<PyTuple>().ok());
        if positional.is_some() {
            next = held.next();
        }
        let present = object.getattr(intern!(object.py(), "__dict__"))?;
        let keywords = next
            .and_then(|it| it.cast_into_exact::<PyDict>().ok())
            .filter(|it| !present.is(it))
            .filter(|it| it.keys().iter().all(|key| key.is_exact_instance_of::<PyString>()));
        if positional.as_ref().is_some_and(|it| !it.is_empty()) || keywords.as_ref().is_some_and(|it| !it.is_empty()) {
            args.push(match positional {
                Some(positional) => Part::Object(positional.into_any()),
                None => Part::Tuple(0),
            });
            args.extend(keywords.map(|it| Part::Object(it.into_any())));
        }
    }
    // Only the type's own lookup knows which dict is that of this thread.
    let dict = object.getattr(intern!(object.py(), "__dict__"))?.cast_into::<PyDict>()?;
    filled(Wire::ThreadLocal, args, attributes(dict.iter().collect()))
}

/// A thread that has not been started, or is over.
pub(super) fn thread<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let Some(dict) = instance_dict(object)? else { return Ok(None) };
    let started = match dict_get(&dict, intern!(py, "_started").as_any())? {
        Some(event) => event.call_method0(intern!(py, "is_set"))?.is_truthy()?,
        None => true,
    };
    let of_threads = py.import("threading")?.getattr("Thread")?;
    if started && of_threads.call_method1("is_alive", (object,))?.is_truthy()? {
        return Err(refusal(object, "a thread runs in the process that started it"));
    }
    // What every thread gets when it is made, but for what it was told.
    let keywords = PyDict::new(py);
    keywords.set_item(intern!(py, "name"), "")?;
    let fresh = of_threads.call((), Some(&keywords))?;
    let fresh = instance_dict(&fresh)?;
    let told: &[&str] = &["_target", "_args", "_kwargs", "_daemonic", "_ident", "_native_id"];
    let mut kept = Vec::new();
    for (key, value) in dict.iter() {
        let made_anew = match &fresh {
            Some(fresh) => fresh.contains(&key)? && !named(&key, told),
            None => false,
        };
        if !made_anew {
            kept.push((key, value));
        }
    }
    let name = attribute(object, "_name")?;
    let mut args = vec![class_of(object), Part::Object(name)];
    if started {
        args.push(Part::Object(PyBool::new(py, true).to_owned().into_any()));
    }
    filled(Wire::Thread, args, attributes(kept))
}

fn attribute<'py>(object: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    stored(object, &PyString::intern(object.py(), name))
}
