//! The energy of a multiply-accumulate (MAC): a multiplier, the signs' logic where a scheme has any, an adder
//! and the register of its sum. All but the multiplier costs the same whichever multiplier it is.
//!
//! # Figures, in pJ at 45 nm and 0.9 V
//! | part | pJ | from |
//! |---|---:|---|
//! | exact 8-bit multiplier | 0.2 | Horowitz, "Computing's Energy Problem (and what we can do about it)", ISSCC 2014 |
//! | 32-bit adder | 0.1 | the same (an 8-bit one: 0.03) |
//! | 32-bit register | 0.288 | 9.0 fJ a bit and clock cycle: the 40 nm cells of Shao, Reagen, Wei and Brooks, "Aladdin: A Pre-RTL, Power-Performance Accelerator Simulator", ISCA 2014 |
//! | logic of signs | 0.2 times its share | this project's [gate model](crate::multiplier::cost): its power by that of the exact multiplier |
//!
//! Horowitz has no register. That of Aladdin's model is checked against the data sheet of the gate model's
//! cells: `DFF_X1` of the NanGate FreePDK45 Open Cell Library takes 6.9 fJ a cycle at 1.1 V if its bit stays,
//! 16.0 fJ if it changes, and 1.15 fJ at its clock pin. With bits that change every other cycle these are
//! 12.6 fJ, 8.4 fJ at 0.9 V: 6 % less. All 32 bits are taken to do so, which the highest of a sum seldom do, and
//! the clock's tree is left out. The register is an estimate all the same, and the largest part; the more it
//! takes, the less an approximate multiplier saves of the whole.
//!
//! # What signs take
//! Under [`Scheme::SignMagnitude`] the signs of activation and weight meet in an XOR, and 16 more invert the
//! product where it is negative. The 1 that two's complement then adds is the carry into the adder, which is
//! there anyway. Taken for granted, and not charged:
//! * Both operands arrive as sign and magnitude. Weights are stored so. An activation with zero point 128 takes
//!   its magnitude once, where it is written, for all the weights it meets; one with zero point 0 has no sign
//!   (its XOR is charged nevertheless).
//! * A zero weight gives zero whatever its multiplier says: the accumulator is not clocked for it. Nothing is
//!   saved by that here.
//!
//! Other schemes have signs in the multiplier or none at all; what zero points take is a sum for each output,
//! not for each product.

use crate::multiplier::cost::GatePower;
use crate::multiplier::netlist::{GateKind, OUTPUTS};
use crate::multiplier::{Scheme, TruthTable, activity, exact_cost};
use std::sync::LazyLock;

/// Energy of an exact 8-bit multiplication.
const MULTIPLIER_PJ: f64 = 0.2;
/// Energy of a 32-bit addition.
const ADDER_PJ: f64 = 0.1;
/// Energy of a bit of a register that is written, for a clock cycle.
const REGISTER_BIT_PJ: f64 = 0.009;
/// Bits of an accumulator.
const ACCUMULATOR_BITS: f64 = 32.0;

/// How active a bit is that is 1 for half of all operands.
const HALF: f64 = 0.5;

/// Power of the signs' logic by that of the exact unsigned multiplier, operands uniform.
static SIGN_LOGIC: LazyLock<f64> = LazyLock::new(|| {
    let exact = TruthTable::exact(false);
    let ones = |bit: usize| exact.products().iter().filter(|&&product| product >> bit & 1 == 1).count();
    let product: [f64; OUTPUTS] = std::array::from_fn(|bit| activity(ones(bit) as u32));
    sign_logic_uw(&product) / exact_cost(false).power_uw
});

/// What the parts of a MAC take for one product, in pJ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MacCosts {
    /// The exact 8-bit multiplier.
    pub multiplier_pj: f64,
    /// What makes a product of magnitudes negative; 0 where the multiplier knows signs or there are none.
    pub sign_logic_pj: f64,
    /// The 32-bit adder.
    pub adder_pj: f64,
    /// The 32-bit register of the sum.
    pub register_pj: f64,
}

impl MacCosts {
    /// The parts of a MAC of `scheme`. Figures and assumptions are in the documentation of the module.
    pub fn of(scheme: Scheme) -> MacCosts {
        let sign_logic = match scheme {
            Scheme::Unsigned | Scheme::Signed => 0.0,
            Scheme::SignMagnitude { .. } => *SIGN_LOGIC,
        };
        MacCosts {
            multiplier_pj: MULTIPLIER_PJ,
            sign_logic_pj: MULTIPLIER_PJ * sign_logic,
            adder_pj: ADDER_PJ,
            register_pj: REGISTER_BIT_PJ * ACCUMULATOR_BITS,
        }
    }

    /// The plain exact MAC, in pJ: without logic for signs, whatever the scheme, so that a scheme that needs
    /// some has to make up for it.
    pub fn plain_exact_pj(&self) -> f64 {
        self.multiplier_pj + self.adder_pj + self.register_pj
    }

    /// Energy of a MAC, logic for signs included, relative to the plain exact one. `multiplier` is that of its
    /// multiplication relative to an exact one.
    pub fn relative_energy(&self, multiplier: f64) -> f64 {
        let rest = self.sign_logic_pj + self.adder_pj + self.register_pj;
        (self.multiplier_pj * multiplier + rest) / self.plain_exact_pj()
    }
}

/// Power at 1 GHz of the XOR of two signs and of those that invert a product whose bits have these activities.
/// Every output, the sign's too, drives an inverter as those of a netlist do.
fn sign_logic_uw(product: &[f64]) -> f64 {
    let xor = GatePower::of(GateKind::Xor);
    // Signs are taken to be positive for half of all operands, so that what they are XORed with is 1 for half.
    let gate = |inputs: f64| {
        xor.leakage_uw + xor.input_uw * inputs + (xor.output_uw + GatePower::NETLIST_OUTPUT_UW) * HALF
    };
    gate(HALF + HALF) + product.iter().map(|activity| gate(activity + HALF)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::cost::Cost;
    use crate::multiplier::netlist::{Builder, Wire};

    #[test]
    fn parts_add_up() {
        let costs = MacCosts { multiplier_pj: 0.2, sign_logic_pj: 0.05, adder_pj: 0.1, register_pj: 0.2 };
        // 0.5 pJ without signs; (0.2 * 0.25 + 0.05 + 0.1 + 0.2) / 0.5.
        assert!((costs.plain_exact_pj() - 0.5).abs() < 1e-12);
        assert!((costs.relative_energy(0.25) - 0.8).abs() < 1e-12);
        assert!((costs.relative_energy(1.0) - 1.1).abs() < 1e-12);
    }

    #[test]
    fn only_sign_magnitude_pays_for_signs() {
        for scheme in [Scheme::Unsigned, Scheme::Signed] {
            let costs = MacCosts::of(scheme);
            assert_eq!((costs.sign_logic_pj, costs.relative_energy(1.0)), (0.0, 1.0), "{scheme}");
            assert!((costs.plain_exact_pj() - 0.588).abs() < 1e-12);
            // Without any multiplier the rest is left: (0.1 + 0.288) / 0.588.
            assert!((costs.relative_energy(0.0) - 0.388 / 0.588).abs() < 1e-12);
        }
        let [plain, signs] = [Scheme::Unsigned, Scheme::default()].map(MacCosts::of);
        assert_eq!(signs.plain_exact_pj(), plain.plain_exact_pj());
        assert_eq!(signs, MacCosts::of(Scheme::SignMagnitude { weight_shift: 0 }));
        let share = signs.sign_logic_pj / signs.multiplier_pj;
        assert!((0.04..0.12).contains(&share), "17 gates of some 300 cells: {share}");
    }

    #[test]
    fn the_logic_of_signs_costs_what_its_netlist_does() {
        // As many bits of a product as inputs are left beside two signs.
        let mut builder = Builder::new();
        let negative = builder.gate(GateKind::Xor, Wire::a(7), Wire::w(7));
        let mut outputs = [Wire::ZERO; OUTPUTS];
        for bit in 0..7 {
            outputs[bit] = builder.gate(GateKind::Xor, Wire::a(bit), negative);
            outputs[bit + 7] = builder.gate(GateKind::Xor, Wire::w(bit), negative);
        }
        outputs[14] = negative;
        let netlist = builder.finish(false, outputs);
        let cost = Cost::of(&netlist, &netlist.simulate().activity);
        assert!((cost.power_uw - sign_logic_uw(&[HALF; 14])).abs() < 1e-9, "{cost:?}");
    }
}
