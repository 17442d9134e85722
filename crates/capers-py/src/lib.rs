//! The native module `capers._core`: live CPython objects on both sides of the pickle format.
//!
//! The way out is `api → dump → capers_pickle::Writer`, the way in `api → load → capers_pickle::Machine`. This crate is
//! the only one that names pyo3, and `ffi` is its only module with unsafe code.

mod api;
mod by_value;
mod choices;
mod dump;
mod ffi;
mod large;
mod limits;
mod load;
mod note;
mod policy;
mod progress;
mod replay;
mod shown;
mod state;
mod wire;
