//! Every unsafe line of the project, behind safe functions on borrowed and owned Python objects.
//!
//! What leaves this module is safe to call with any object: a wrong type is an error or `None`, never undefined
//! behaviour. Each unsafe block answers four questions: what is alive, what type it is exactly, who else could change it
//! now, and whether Python code can run inside.
#![expect(unsafe_code, reason = "the one address of unsafe code; tests/tidy holds it")]

pub(crate) mod load_window;
pub(crate) mod make;
