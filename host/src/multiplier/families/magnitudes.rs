//! Two's complement around multipliers of unsigned numbers.
//!
//! Designs that look for leading ones or small unsigned blocks have no two's complement form of their own:
//! they multiply the magnitudes, and the sign is put back. The three conditional negations are exact, and
//! cost about as many gates as a small multiplier.

use crate::multiplier::netlist::{Builder, GateKind, Netlist, OUTPUTS, Wire};

/// The multiplier whose unsigned products, or products of magnitudes, are `core(builder, a, w)`.
pub(super) fn of_magnitudes(
    signed: bool,
    core: impl FnOnce(&mut Builder, &[Wire], &[Wire]) -> [Wire; OUTPUTS],
) -> Netlist {
    let mut builder = Builder::new();
    let a: Vec<Wire> = (0..8).map(Wire::a).collect();
    let w: Vec<Wire> = (0..8).map(Wire::w).collect();
    if !signed {
        let product = core(&mut builder, &a, &w);
        return builder.finish(signed, product);
    }
    // The magnitude of -128 is 128, which eight bits hold unsigned.
    let (a, w) = (builder.negate_if(Wire::a(7), &a), builder.negate_if(Wire::w(7), &w));
    let product = core(&mut builder, &a, &w);
    let negative = builder.gate(GateKind::Xor, Wire::a(7), Wire::w(7));
    let product = builder.negate_if(negative, &product);
    builder.finish(signed, std::array::from_fn(|c| product[c]))
}
