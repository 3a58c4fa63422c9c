//! llguidance's C interface, exported as it is: `llg_*`.

pub use llguidance::ffi::*;
