//! Multipliers to compensate.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use skimp::multiplier::{Family, Library, Multiplier, Statistics, TruthTable};

/// The exact multiplier and random ones: noisy, with both operands cut, and lopsided.
pub fn random_library(signed: bool, rng: &mut ChaCha8Rng) -> Library {
    let (low, high) = if signed { (i16::MIN.into(), i16::MAX.into()) } else { (0, u16::MAX.into()) };
    let mut multipliers = vec![Library::builtin(signed).exact().clone()];
    for name in ["noisy", "cut", "lopsided"] {
        let (seed, noise): (i32, i32) = (rng.random(), rng.random_range(20..3000));
        let masks = [rng.random_range(0..32), rng.random_range(0..64)].map(|mask: i32| !mask);
        let slope = rng.random_range(1..12);
        let product = |a: i32, w: i32| match name {
            "noisy" => {
                let hash = (a.wrapping_mul(7919) ^ w.wrapping_mul(104_729) ^ seed).wrapping_mul(-0x61c8_864f);
                a * w + (hash >> 8) % noise
            }
            "cut" => (a & masks[0]) * (w & masks[1]),
            _ => a * w + slope * a - ((a * w) >> 4),
        };
        let table = TruthTable::from_fn(signed, |a, w| product(a, w).clamp(low, high)).unwrap();
        multipliers.push(Multiplier {
            name: name.into(),
            family: Family::Imported,
            statistics: Statistics::of(&table),
            table,
            netlist: None,
            provenance: None,
            ..multipliers[0].clone()
        });
    }
    Library::new(multipliers).unwrap()
}
