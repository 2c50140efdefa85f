//! Running the float network.

/// To be written.
pub struct FloatNetwork;
