//! Bytecode tables, one for each CPython version. Written by `tools/make_tables.py` from the interpreters' own `opcode`
//! module; do not edit by hand.
//!
//! A row is an opcode that has inline caches or names something; every other opcode is plain and has none.

use super::{Row, Table};
use crate::names::NameUse::{Attribute, GlobalRead, GlobalWrite, Import};

/// Read from CPython 3.11.7.
#[rustfmt::skip]
pub(super) static V3_11: Table = Table::new(144, &[
    Row::plain(25, 4), // BINARY_SUBSCR
    Row::plain(60, 1), // STORE_SUBSCR
    Row::name(90, 0, GlobalWrite, 0), // STORE_NAME
    Row::name(91, 0, GlobalRead, 0), // DELETE_NAME
    Row::plain(92, 1), // UNPACK_SEQUENCE
    Row::name(95, 4, Attribute, 0), // STORE_ATTR
    Row::name(96, 0, Attribute, 0), // DELETE_ATTR
    Row::name(97, 0, GlobalWrite, 0), // STORE_GLOBAL
    Row::name(98, 0, GlobalRead, 0), // DELETE_GLOBAL
    Row::name(101, 0, GlobalRead, 0), // LOAD_NAME
    Row::name(106, 4, Attribute, 0), // LOAD_ATTR
    Row::plain(107, 2), // COMPARE_OP
    Row::name(108, 0, Import, 0), // IMPORT_NAME
    Row::name(109, 0, Attribute, 0), // IMPORT_FROM
    Row::name(116, 5, GlobalRead, 1), // LOAD_GLOBAL
    Row::plain(122, 1), // BINARY_OP
    Row::name(160, 10, Attribute, 0), // LOAD_METHOD
    Row::plain(166, 1), // PRECALL
    Row::plain(171, 4), // CALL
]);

/// Read from CPython 3.12.1.
#[rustfmt::skip]
pub(super) static V3_12: Table = Table::new(144, &[
    Row::plain(25, 1), // BINARY_SUBSCR
    Row::plain(60, 1), // STORE_SUBSCR
    Row::name(90, 0, GlobalWrite, 0), // STORE_NAME
    Row::name(91, 0, GlobalRead, 0), // DELETE_NAME
    Row::plain(92, 1), // UNPACK_SEQUENCE
    Row::plain(93, 1), // FOR_ITER
    Row::name(95, 4, Attribute, 0), // STORE_ATTR
    Row::name(96, 0, Attribute, 0), // DELETE_ATTR
    Row::name(97, 0, GlobalWrite, 0), // STORE_GLOBAL
    Row::name(98, 0, GlobalRead, 0), // DELETE_GLOBAL
    Row::name(101, 0, GlobalRead, 0), // LOAD_NAME
    Row::name(106, 9, Attribute, 1), // LOAD_ATTR
    Row::plain(107, 1), // COMPARE_OP
    Row::name(108, 0, Import, 0), // IMPORT_NAME
    Row::name(109, 0, Attribute, 0), // IMPORT_FROM
    Row::name(116, 4, GlobalRead, 1), // LOAD_GLOBAL
    Row::plain(122, 1), // BINARY_OP
    Row::plain(123, 1), // SEND
    Row::name(141, 1, Attribute, 2), // LOAD_SUPER_ATTR
    Row::plain(171, 3), // CALL
    Row::name(175, 0, GlobalRead, 0), // LOAD_FROM_DICT_OR_GLOBALS
]);

/// Read from CPython 3.13.0.
#[rustfmt::skip]
pub(super) static V3_13: Table = Table::new(71, &[
    Row::plain(5, 1), // BINARY_SUBSCR
    Row::plain(39, 1), // STORE_SUBSCR
    Row::plain(40, 3), // TO_BOOL
    Row::plain(45, 1), // BINARY_OP
    Row::plain(53, 3), // CALL
    Row::plain(58, 1), // COMPARE_OP
    Row::plain(59, 1), // CONTAINS_OP
    Row::name(63, 0, Attribute, 0), // DELETE_ATTR
    Row::name(66, 0, GlobalRead, 0), // DELETE_GLOBAL
    Row::name(67, 0, GlobalRead, 0), // DELETE_NAME
    Row::plain(72, 1), // FOR_ITER
    Row::name(74, 0, Attribute, 0), // IMPORT_FROM
    Row::name(75, 0, Import, 0), // IMPORT_NAME
    Row::plain(77, 1), // JUMP_BACKWARD
    Row::name(82, 9, Attribute, 1), // LOAD_ATTR
    Row::name(90, 0, GlobalRead, 0), // LOAD_FROM_DICT_OR_GLOBALS
    Row::name(91, 4, GlobalRead, 1), // LOAD_GLOBAL
    Row::name(92, 0, GlobalRead, 0), // LOAD_NAME
    Row::name(93, 1, Attribute, 2), // LOAD_SUPER_ATTR
    Row::plain(97, 1), // POP_JUMP_IF_FALSE
    Row::plain(98, 1), // POP_JUMP_IF_NONE
    Row::plain(99, 1), // POP_JUMP_IF_NOT_NONE
    Row::plain(100, 1), // POP_JUMP_IF_TRUE
    Row::plain(104, 1), // SEND
    Row::name(108, 4, Attribute, 0), // STORE_ATTR
    Row::name(113, 0, GlobalWrite, 0), // STORE_GLOBAL
    Row::name(114, 0, GlobalWrite, 0), // STORE_NAME
    Row::plain(117, 1), // UNPACK_SEQUENCE
]);

/// Read from CPython 3.14.10.
#[rustfmt::skip]
pub(super) static V3_14: Table = Table::new(69, &[
    Row::plain(38, 1), // STORE_SUBSCR
    Row::plain(39, 3), // TO_BOOL
    Row::plain(44, 5), // BINARY_OP
    Row::plain(52, 3), // CALL
    Row::plain(55, 3), // CALL_KW
    Row::plain(56, 1), // COMPARE_OP
    Row::plain(57, 1), // CONTAINS_OP
    Row::name(61, 0, Attribute, 0), // DELETE_ATTR
    Row::name(64, 0, GlobalRead, 0), // DELETE_GLOBAL
    Row::name(65, 0, GlobalRead, 0), // DELETE_NAME
    Row::plain(70, 1), // FOR_ITER
    Row::name(72, 0, Attribute, 0), // IMPORT_FROM
    Row::name(73, 0, Import, 0), // IMPORT_NAME
    Row::plain(75, 1), // JUMP_BACKWARD
    Row::name(80, 9, Attribute, 1), // LOAD_ATTR
    Row::name(91, 0, GlobalRead, 0), // LOAD_FROM_DICT_OR_GLOBALS
    Row::name(92, 4, GlobalRead, 1), // LOAD_GLOBAL
    Row::name(93, 0, GlobalRead, 0), // LOAD_NAME
    Row::name(96, 1, Attribute, 2), // LOAD_SUPER_ATTR
    Row::plain(100, 1), // POP_JUMP_IF_FALSE
    Row::plain(101, 1), // POP_JUMP_IF_NONE
    Row::plain(102, 1), // POP_JUMP_IF_NOT_NONE
    Row::plain(103, 1), // POP_JUMP_IF_TRUE
    Row::plain(106, 1), // SEND
    Row::name(110, 4, Attribute, 0), // STORE_ATTR
    Row::name(115, 0, GlobalWrite, 0), // STORE_GLOBAL
    Row::name(116, 0, GlobalWrite, 0), // STORE_NAME
    Row::plain(119, 1), // UNPACK_SEQUENCE
]);

/// Read from CPython 3.15.2.
#[rustfmt::skip]
pub(super) static V3_15: Table = Table::new(67, &[
    Row::plain(4, 1), // CALL_FUNCTION_EX
    Row::plain(36, 1), // STORE_SUBSCR
    Row::plain(37, 3), // TO_BOOL
    Row::plain(42, 5), // BINARY_OP
    Row::plain(50, 3), // CALL
    Row::plain(53, 3), // CALL_KW
    Row::plain(54, 1), // COMPARE_OP
    Row::plain(55, 1), // CONTAINS_OP
    Row::name(59, 0, Attribute, 0), // DELETE_ATTR
    Row::name(62, 0, GlobalRead, 0), // DELETE_GLOBAL
    Row::name(63, 0, GlobalRead, 0), // DELETE_NAME
    Row::plain(68, 1), // FOR_ITER
    Row::plain(70, 1), // GET_ITER
    Row::name(71, 0, Attribute, 0), // IMPORT_FROM
    Row::name(72, 0, Import, 2), // IMPORT_NAME
    Row::plain(74, 1), // JUMP_BACKWARD
    Row::name(79, 9, Attribute, 1), // LOAD_ATTR
    Row::name(90, 0, GlobalRead, 0), // LOAD_FROM_DICT_OR_GLOBALS
    Row::name(91, 4, GlobalRead, 1), // LOAD_GLOBAL
    Row::name(92, 0, GlobalRead, 0), // LOAD_NAME
    Row::name(95, 1, Attribute, 2), // LOAD_SUPER_ATTR
    Row::plain(99, 1), // POP_JUMP_IF_FALSE
    Row::plain(100, 1), // POP_JUMP_IF_NONE
    Row::plain(101, 1), // POP_JUMP_IF_NOT_NONE
    Row::plain(102, 1), // POP_JUMP_IF_TRUE
    Row::plain(105, 1), // SEND
    Row::name(109, 4, Attribute, 0), // STORE_ATTR
    Row::name(114, 0, GlobalWrite, 0), // STORE_GLOBAL
    Row::name(115, 0, GlobalWrite, 0), // STORE_NAME
    Row::plain(118, 1), // UNPACK_SEQUENCE
    Row::plain(128, 1), // RESUME
]);
