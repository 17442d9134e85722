//! The CPython versions this crate knows, and how each is named on the wire.
//!
//! A code object travels with a *tag*: one integer that carries the magic number of the interpreter's bytecode and its
//! major and minor version. The magic number alone decides whether bytecode may run; the version beside it is there so
//! that an interpreter that has never heard of the magic number can still name the version in its error message.
//!
//! Magic numbers are `importlib.util.MAGIC_NUMBER` (low 16 bits) of the final releases, read from the interpreters 3.11.7,
//! 3.12.1, 3.13.0, 3.14.10 and 3.15.2. CPython freezes the number at the first release candidate. The ranges follow
//! `Include/internal/pycore_magic_number.h` (read in 3.15): from 3.11 on, Python 3.n starts with 2900 + 50n.

use std::fmt;
use std::ops::RangeInclusive;

use crate::error::{Error, ErrorKind};

/// A CPython version whose code objects this crate reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    // Only values of `SUPPORTED` exist, so every match on the minor number below is total in practice.
    major: u8,
    minor: u8,
}

impl Version {
    /// CPython 3.11.
    pub const V3_11: Self = Self { major: 3, minor: 11 };
    /// CPython 3.12.
    pub const V3_12: Self = Self { major: 3, minor: 12 };
    /// CPython 3.13.
    pub const V3_13: Self = Self { major: 3, minor: 13 };
    /// CPython 3.14.
    pub const V3_14: Self = Self { major: 3, minor: 14 };
    /// CPython 3.15.
    pub const V3_15: Self = Self { major: 3, minor: 15 };

    /// Every supported version, oldest first.
    pub const SUPPORTED: &'static [Self] = &[Self::V3_11, Self::V3_12, Self::V3_13, Self::V3_14, Self::V3_15];

    /// The supported version `major.minor`, or `None`.
    #[must_use]
    pub fn new(major: u8, minor: u8) -> Option<Self> {
        Self::SUPPORTED.iter().copied().find(|v| v.major == major && v.minor == minor)
    }

    /// The `3` of 3.11.
    #[must_use]
    pub const fn major(self) -> u8 {
        self.major
    }

    /// The `11` of 3.11.
    #[must_use]
    pub const fn minor(self) -> u8 {
        self.minor
    }

    /// Low 16 bits of `importlib.util.MAGIC_NUMBER` of this version's final releases.
    #[must_use]
    pub const fn magic(self) -> u16 {
        match self.minor {
            11 => 3495,
            12 => 3531,
            13 => 3571,
            14 => 3627,
            _ => 3666,
        }
    }

    /// The magic numbers reserved for this minor version, pre-releases included.
    #[must_use]
    pub const fn magic_range(self) -> RangeInclusive<u16> {
        match self.minor {
            11 => 3450..=3499,
            12 => 3500..=3549,
            13 => 3550..=3599,
            14 => 3600..=3649,
            _ => 3650..=3699,
        }
    }

    /// `marshal.version` of this version: 4 up to 3.13, 5 (slices) in 3.14, 6 (frozendicts) in 3.15.
    #[must_use]
    pub const fn marshal_version(self) -> u8 {
        match self.minor {
            11..=13 => 4,
            14 => 5,
            _ => 6,
        }
    }

    /// The number that names this version on the wire: `magic << 16 | major << 8 | minor`.
    #[must_use]
    pub const fn tag(self) -> u32 {
        (self.magic() as u32) << 16 | (self.major as u32) << 8 | self.minor as u32
    }

    /// The version a wire tag names.
    ///
    /// Fails with [`ErrorKind::UnknownTag`] unless the tag is exactly that of a supported version: bytecode of a
    /// pre-release is foreign bytecode, even when its minor version is known here.
    pub fn from_tag(tag: i64) -> Result<Self, Error> {
        Self::SUPPORTED
            .iter()
            .copied()
            .find(|v| i64::from(v.tag()) == tag)
            .ok_or_else(|| Error::new(ErrorKind::UnknownTag(tag)))
    }

    /// The supported version whose range holds a magic number, pre-releases included.
    #[must_use]
    pub fn from_magic(magic: u16) -> Option<Self> {
        Self::SUPPORTED.iter().copied().find(|v| v.magic_range().contains(&magic))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_names_its_version_and_no_other_number_does() {
        for &version in Version::SUPPORTED {
            let tag = i64::from(version.tag());
            assert_eq!(Version::from_tag(tag).unwrap(), version);
            for other in [tag + 1, tag - 1, tag + (1 << 16), -tag, tag | 1 << 40] {
                assert!(Version::from_tag(other).is_err(), "{other}");
            }
        }
        assert_eq!(Version::V3_11.tag(), 229_049_099);
    }

    #[test]
    fn magic_numbers_lie_in_their_ranges_and_ranges_do_not_overlap() {
        for &version in Version::SUPPORTED {
            assert_eq!(Version::from_magic(version.magic()), Some(version));
        }
        assert_eq!(Version::from_magic(3449), None);
        assert_eq!(Version::from_magic(3700), None);
    }

    #[test]
    fn an_unknown_tag_is_named_by_its_version() {
        // Python 3.9: magic 3425.
        let error = Version::from_tag(3425 << 16 | 3 << 8 | 9).unwrap_err();
        assert_eq!(error.to_string(), "unsupported code object of Python 3.9 (magic number 3425)");
    }

    #[test]
    fn only_supported_versions_exist() {
        assert_eq!(Version::new(3, 13), Some(Version::V3_13));
        assert_eq!(Version::new(3, 10), None);
        assert_eq!(Version::new(2, 13), None);
        assert_eq!(Version::V3_14.to_string(), "3.14");
    }
}
