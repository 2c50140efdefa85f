//! How often a multiplier sees each operand.

use super::Scheme;
use super::product_table::{activation_operand, weight_operand};
use sha2::{Digest, Sha256};

/// How many multiplications have each operand: the two marginals of what a multiplier sees.
///
/// Both are indexed by the operand as a byte, as it arrives at the multiplier after the scheme's mapping (two's
/// complement for signed multipliers, shifted magnitudes under sign-magnitude), and both add up to the same
/// number of multiplications. Which activations meet which weights is not kept: figures taken from it
/// suppose that the two are independent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Multiplications with each activation operand.
    pub activation: [u64; 256],
    /// Multiplications with each weight operand.
    pub weight: [u64; 256],
}

impl Distribution {
    /// Every pair of operands once: what [`Statistics`](super::Statistics) are about.
    pub fn uniform() -> Distribution {
        Distribution { activation: [256; 256], weight: [256; 256] }
    }

    /// Multiplications; 0 if nothing was counted.
    pub fn multiplications(&self) -> u64 {
        self.activation.iter().sum()
    }

    /// The share of each activation operand, adding up to 1; all 0 if nothing was counted.
    pub fn activation_shares(&self) -> [f64; 256] {
        shares(&self.activation)
    }

    /// The share of each weight operand, adding up to 1; all 0 if nothing was counted.
    pub fn weight_shares(&self) -> [f64; 256] {
        shares(&self.weight)
    }

    /// What the first and the second operand see where the operands are exchanged, as in
    /// [`TruthTable::swapped`](super::TruthTable::swapped).
    pub fn swapped(&self) -> Distribution {
        Distribution { activation: self.weight, weight: self.activation }
    }

    /// A short text that tells distributions apart: the first 16 hexadecimal digits of the SHA-256 of all
    /// counts, those of the activations first, each as 8 bytes, little endian.
    pub fn digest(&self) -> String {
        let counts = self.activation.iter().chain(&self.weight);
        let digest =
            counts.fold(Sha256::new(), |sha, count| sha.chain_update(count.to_le_bytes())).finalize();
        digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Adds the multiplications of `other`, such as those of another layer on the same multiplier.
    pub fn add(&mut self, other: &Distribution) {
        let pairs = self.activation.iter_mut().zip(&other.activation);
        pairs.chain(self.weight.iter_mut().zip(&other.weight)).for_each(|(count, more)| *count += more);
    }
}

fn shares(counts: &[u64; 256]) -> [f64; 256] {
    let total = counts.iter().sum::<u64>().max(1) as f64;
    counts.map(|count| count as f64 / total)
}

/// How many of a layer's multiplications have each stored activation code and each weight code: finer than
/// the operands, because it still has the signs that a scheme keeps from the multiplier.
///
/// Only multiplications that the multiplier is asked for are counted: none for zero weights under
/// sign-magnitude.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeDistribution {
    /// How codes become operands.
    pub scheme: Scheme,
    /// Activation code of the real value 0.
    pub zero_point: u8,
    /// Multiplications with each activation code.
    pub activation: [u64; 256],
    /// Multiplications with each weight code (two's complement where weights have signs).
    pub weight: [u64; 256],
}

impl CodeDistribution {
    /// No multiplications yet.
    pub fn new(scheme: Scheme, zero_point: u8) -> CodeDistribution {
        CodeDistribution { scheme, zero_point, activation: [0; 256], weight: [0; 256] }
    }

    /// The operands at the multiplier.
    pub fn operands(&self) -> Distribution {
        let mut operands = Distribution { activation: [0; 256], weight: [0; 256] };
        for code in 0..=255u8 {
            let (activation, _) = activation_operand(self.scheme, self.zero_point, code);
            let (weight, _) = weight_operand(self.scheme, code);
            operands.activation[usize::from(activation)] += self.activation[usize::from(code)];
            operands.weight[usize::from(weight)] += self.weight[usize::from(code)];
        }
        operands
    }

    /// The shares of the activation codes and of the weight codes, adding up to 1 each.
    pub fn shares(&self) -> ([f64; 256], [f64; 256]) {
        (shares(&self.activation), shares(&self.weight))
    }

    /// Whether the multiplier is asked for products with this weight code.
    pub fn multiplies(scheme: Scheme, weight_code: u8) -> bool {
        weight_operand(scheme, weight_code).1 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::TruthTable;

    #[test]
    fn the_uniform_distribution_is_of_all_pairs() {
        let uniform = Distribution::uniform();
        assert_eq!(uniform.multiplications(), TruthTable::ENTRIES as u64);
        assert_eq!(uniform.weight_shares(), [1.0 / 256.0; 256]);
        let none = Distribution { activation: [0; 256], weight: [0; 256] };
        assert_eq!(none.activation_shares(), [0.0; 256]);
    }

    #[test]
    fn layers_add_up_and_operands_exchange() {
        let mut sum = Distribution { activation: [0; 256], weight: [0; 256] };
        (sum.activation[3], sum.weight[200]) = (5, 5);
        sum.add(&Distribution::uniform());
        assert_eq!((sum.activation[3], sum.weight[200], sum.weight[3]), (261, 261, 256));
        assert_eq!(sum.swapped().weight, sum.activation);
        assert_eq!(sum.swapped().swapped(), sum);
        assert!((sum.activation_shares().iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let digests = [sum.digest(), sum.swapped().digest(), Distribution::uniform().digest()];
        assert!(
            digests[0] != digests[1] && digests[0] != digests[2] && digests[0].len() == 16,
            "{digests:?}"
        );
    }

    #[test]
    fn codes_become_the_operands_of_the_scheme() {
        let with = |scheme, zero_point, (x, w): (u8, u8)| {
            let mut codes = CodeDistribution::new(scheme, zero_point);
            (codes.activation[usize::from(x)], codes.weight[usize::from(w)]) = (7, 7);
            let operands = codes.operands();
            assert_eq!(operands.multiplications(), 7);
            let place = |counts: [u64; 256]| counts.iter().position(|&count| count == 7).unwrap();
            (place(operands.activation), place(operands.weight))
        };
        assert_eq!(with(Scheme::Unsigned, 99, (100, 200)), (100, 200));
        // -28 and -56 in two's complement.
        assert_eq!(with(Scheme::Signed, 128, (100, 200)), (228, 200));
        let sign_magnitude = Scheme::SignMagnitude { weight_shift: 1 };
        assert_eq!(with(sign_magnitude, 128, (100, 200)), (28, 112));
        assert_eq!(with(sign_magnitude, 0, (100, 3)), (100, 6));
        assert_eq!(with(Scheme::SignMagnitude { weight_shift: 0 }, 0, (100, 0x80)), (100, 127));
    }

    #[test]
    fn signs_fall_together_and_zero_weights_never_multiply() {
        let mut codes = CodeDistribution::new(Scheme::default(), 128);
        codes.activation[128 - 5] = 1;
        codes.activation[128 + 5] = 2;
        assert_eq!(codes.operands().activation[5], 3);
        for scheme in [Scheme::Unsigned, Scheme::Signed, Scheme::default()] {
            assert!(CodeDistribution::multiplies(scheme, 1));
            assert_eq!(CodeDistribution::multiplies(scheme, 0), scheme != Scheme::default());
        }
    }
}
