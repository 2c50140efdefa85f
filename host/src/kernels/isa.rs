//! Which instructions there are.

/// A set of instructions that this processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Isa(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// What the build's target promises: SSE2 on x86-64, NEON on AArch64.
    pub const PORTABLE: Isa = Isa(Kind::Portable);

    /// Every set this processor has, the fastest last.
    pub fn available() -> Vec<Isa> {
        let mut available = vec![Isa::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt") {
                available.push(Isa(Kind::Avx2));
            }
            if is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("popcnt")
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vnni")
            {
                available.push(Isa(Kind::Avx512));
            }
        }
        available
    }

    /// The fastest set this processor has.
    pub fn best() -> Isa {
        static BEST: std::sync::OnceLock<Isa> = std::sync::OnceLock::new();
        *BEST.get_or_init(|| Isa::available().pop().unwrap_or(Isa::PORTABLE))
    }

    /// `portable`, `avx2` or `avx512`.
    pub fn name(&self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
        }
    }

    /// Most lanes and most taps of a block of vector tables. 32 lanes and 16 taps, or 64 and 8, are a quarter of
    /// a megabyte; processors with AVX-512 have at least a whole one for each core.
    pub(crate) fn table_block(self) -> (usize, usize) {
        match self.0 {
            Kind::Portable => (64, 8),
            // Sums of 32 channels stay in registers over all taps.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => (32, 16),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => (64, 16),
        }
    }

    pub(super) fn kind(self) -> Kind {
        self.0
    }
}

impl std::fmt::Display for Isa {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
