//! Which schemes take part in an optimization, with what multipliers, and where each one's search is saved.

use super::search_args::SearchArgs;
use crate::cli::common::{MultiplierArgs, distinct};
use crate::compensate::Steps;
use crate::error::{Error, Result};
use crate::multiplier::{Library, Scheme, signed_or_unsigned};
use crate::optimize::{CheckpointFile, Options};
use crate::prepare::Prepared;
use clap::Args;
use sha2::{Digest, Sha256};
use std::path::Path;

/// Which schemes.
#[derive(Debug, Args)]
pub struct SchemeArgs {
    /// How products are formed: sign-magnitude, unsigned or signed. Each of several is searched and their fronts are
    /// merged; losses are counted against the exact network of the first [default: those that the multipliers
    /// allow and a few of them show to be worth a search].
    #[arg(long, alias = "scheme", value_delimiter = ',', value_name = "SCHEME,...")]
    pub schemes: Vec<Scheme>,
    /// The multipliers of the signed scheme, where those of --multipliers are folders or files of unsigned ones.
    #[arg(long, value_name = "SOURCE,...")]
    pub signed_multipliers: Option<String>,
}

/// Schemes and their multipliers.
pub struct Field {
    /// Each once.
    pub schemes: Vec<Scheme>,
    /// Whether they are all that the multipliers allow, so that some may not be worth a search.
    pub contested: bool,
    unsigned: Option<Library>,
    signed: Option<Library>,
}

impl Field {
    /// The multipliers of a scheme.
    pub fn library(&self, scheme: Scheme) -> Result<&Library> {
        let wants_signed = scheme.wants_signed_table();
        let library = if wants_signed { &self.signed } else { &self.unsigned };
        library.as_ref().ok_or_else(|| {
            let [wanted, given] = [wants_signed, !wants_signed].map(signed_or_unsigned);
            let hint = if wants_signed { "say where there are some with --signed-multipliers, or " } else { "" };
            Error::Argument(format!(
                "the {scheme} scheme needs {wanted} multipliers, those of --multipliers are {given}: {hint}leave \
                 {scheme} out of --schemes"
            ))
        })
    }
}

impl SchemeArgs {
    /// The schemes that are asked for, or all that there are multipliers for.
    pub fn field(&self, multipliers: &MultiplierArgs, search: &SearchArgs) -> Result<Field> {
        let mut schemes = distinct(self.schemes.clone(), |&scheme| scheme);
        let wanted = |signed| schemes.is_empty() || schemes.iter().any(|s| s.wants_signed_table() == signed);
        let sources = &multipliers.sources;
        let (mut unsigned, mut signed) = (None, None);
        if Library::sources_have_both_signs(sources) {
            unsigned = wanted(false).then(|| Library::from_sources(sources, false)).transpose()?;
            let own = wanted(true) && self.signed_multipliers.is_none();
            signed = own.then(|| Library::from_sources(sources, true)).transpose()?;
        } else {
            let library = Library::from_sources(sources, false)?;
            let place = if library.is_signed() { &mut signed } else { &mut unsigned };
            *place = Some(library);
        }
        if let Some(sources) = &self.signed_multipliers {
            let refused =
                |reason: &str| Err(Error::Argument(format!("--signed-multipliers {sources}: {reason}")));
            if signed.is_some() {
                return refused("those of --multipliers are signed already");
            }
            let library = Library::from_sources(sources, true)?;
            if !library.is_signed() {
                return refused("these are unsigned");
            }
            signed = Some(library);
        }
        let libraries: Vec<&Library> = unsigned.iter().chain(&signed).collect();
        search.check_costs(&libraries)?;
        let contested = schemes.is_empty();
        if contested {
            schemes.extend(unsigned.iter().flat_map(|_| {
                [Scheme::default(), Scheme::SignMagnitude { weight_shift: 0 }, Scheme::Unsigned]
            }));
            schemes.extend(signed.iter().map(|_| Scheme::Signed));
        }
        let field = Field { schemes, contested, unsigned, signed };
        field.schemes.iter().try_for_each(|&scheme| field.library(scheme).map(drop))?;
        Ok(field)
    }
}

/// Where a search is saved, and what makes it the same search: everything but the number of generations and what
/// comes after them.
pub fn checkpoint(
    folder: &Path,
    resume: bool,
    prepared: &Prepared,
    library: &Library,
    steps: Steps,
    options: &Options,
) -> Result<CheckpointFile> {
    let network = &prepared.quantized;
    // Schemes with a shift have a colon in their names, which not all file systems take.
    let name = format!("search-{}.checkpoint", network.scheme).replace(':', "-");
    let mut digest = Sha256::new();
    for (_, conv) in network.convs() {
        digest.update(&conv.weights);
        digest.update(conv.input_scale.to_le_bytes());
        conv.bias.iter().for_each(|bias| digest.update(bias.to_le_bytes()));
    }
    for set in [&prepared.calibration, &prepared.held_out, &prepared.selection] {
        digest.update(&set.codes);
        digest.update(&set.labels);
    }
    for multiplier in library.multipliers() {
        digest.update(multiplier.name.as_bytes());
        digest.update(multiplier.power_rel.to_le_bytes());
        multiplier.table.products().iter().for_each(|product| digest.update(product.to_le_bytes()));
    }
    let digest: [u8; 32] = digest.finalize().into();
    // These change only how long it goes on and what is chosen at its end.
    let options = Options {
        generations: 0,
        baselines: false,
        finalists: 0,
        max_loss_pp: 0.0,
        points: Vec::new(),
        max_latency_ms: None,
        ..options.clone()
    };
    let about = (network.name.as_str(), network.scheme.to_string(), steps, options, digest);
    CheckpointFile::new(folder.join(name), &about, resume)
}
