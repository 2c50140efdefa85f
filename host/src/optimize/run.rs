//! From prepared networks to a verified image.

use super::entrant::Entrant;
use super::judge::{Images, Reference};
use super::methods::{self, BUDGETS_PP, Method};
use super::on_device::Target;
use super::operating_points::Picked;
use super::options::Options;
use super::outcome::{Optimized, front};
use super::ranges::Ranged;
use super::scheme_search::{Left, SchemeSearch};
use super::stage::{Stage, Tell};
use super::trial::{TrialPoint, most_points, trial, worth_a_search};
use super::verify::{Searched, Step, Verified, best_by_saving, verify};
use crate::compensate::Steps;
use crate::error::{Error, Result};
use crate::multiplier::{Choice, CostSource, Library};

/// How many times a loss budget points of the front may lose on training images, to be sure of all that keep it on
/// test images.
const BEYOND: f64 = 1.6;

/// Searches each scheme of `entrants` on some of the selection images, if several are `contested` only those that a few
/// multipliers show to be worth it; compensates points of the fronts in full, chooses one on the other selection images,
/// verifies what is left of all fronts on the test images and builds the chosen point's image.
///
/// Entrants are one network with the same images under different schemes, at least one; losses are counted against the
/// exact network of the first, with ranges as they were chosen there.
pub fn optimize(
    entrants: &[Entrant],
    contested: bool,
    steps: Steps,
    options: &Options,
    tell: &Tell,
) -> Result<Optimized> {
    let Some(first) = entrants.first() else {
        return Err(Error::Argument("there is no scheme to search".into()));
    };
    // Files that are no use are noticed before anything is tried.
    let left = entrants.iter().map(|entrant| Left::open(entrant.checkpoint.as_ref()));
    let left = left.collect::<Result<Vec<_>>>()?;
    let images: Vec<Images> =
        entrants.iter().map(|entrant| Images::new(entrant.prepared, options.search_images)).collect();
    let (worth, trials) = match contested && entrants.len() > 1 {
        true => contest(entrants, &images, steps, tell)?,
        false => (vec![true; entrants.len()], Vec::new()),
    };
    let mut trial_count: usize = trials.iter().map(Vec::len).sum();
    let networks = entrants.iter().map(|entrant| Ranged::all(entrant.prepared, &options.other_ranges));
    let networks = networks.collect::<Result<Vec<_>>>()?;
    let target = Target::of(options);
    target.check_memory(first.prepared, first.products)?;
    let several = worth.iter().filter(|&&worth| worth).count() > 1;
    let mut searches = Vec::new();
    for ((place, entrant), left) in entrants.iter().enumerate().zip(left) {
        if !worth[place] {
            continue;
        }
        let scheme = several.then(|| entrant.scheme());
        let networks = (networks[place].as_slice(), trials.get(place).cloned());
        let tell = |stage| tell(scheme, stage);
        let search = SchemeSearch::run(entrant, networks, &images[place], (steps, options), left, &tell)?;
        trial_count += search.trials;
        searches.push(search);
    }
    let reference = Reference::new(first.prepared, first.products, &images[0])?;
    let fits = searches.iter().map(|search| search.fits(steps)).collect::<Result<Vec<_>>>()?;
    let judges = searches.iter_mut().zip(&fits).map(|(search, fits)| search.judge(fits, &reference));
    let judges = judges.collect::<Result<Vec<_>>>()?;
    let mut budgets_pp = vec![options.max_loss_pp];
    budgets_pp.extend(options.points.iter().map(|point| point.max_loss_pp));
    budgets_pp.extend(BUDGETS_PP);
    // Losses on new images are mostly smaller, so that points beyond a budget are of interest as well.
    budgets_pp.extend(BUDGETS_PP.map(|budget| budget * BEYOND));
    let searched: Vec<Searched> = searches
        .iter()
        .zip(&judges)
        .map(|(search, judge)| search.searched(judge, &search.selection.front))
        .collect();
    let of = options.finalists * searched.len();
    let verified = verify(&searched, &budgets_pp, options.finalists, &|step| {
        let stage = match step {
            Step::Compensated(done) => Stage::Finalists { done, of },
            Step::Tested(done, of) => Stage::Test { done, of },
        };
        tell(None, stage);
    })?;
    let chosen = best_by_saving(&verified, options.max_loss_pp, |point| target.takes(&point.finalist));
    let chosen = chosen.ok_or_else(|| no_choice(&verified, &target, options.max_loss_pp))?;
    let picked = Picked::new(&verified, chosen, &target, options)?;
    let network = &searches[verified[chosen].search].ranged.network;
    let image = picked.build(&verified, network, &target)?;
    let accuracy = reference.accuracy_pct();
    let evaluations = searches.iter().map(|search| search.selection.evaluations).sum();
    let what = "a multiplier for each layer, compensated".to_owned();
    let mut methods = vec![Method::new(("skimp", what), (evaluations, accuracy), &verified)];
    if options.baselines {
        let uniform: Vec<Searched> = searches
            .iter()
            .zip(&judges)
            .map(|(search, judge)| search.searched(judge, &search.uniform))
            .collect();
        methods.push(methods::uniform(&uniform, accuracy, tell)?);
        let rival =
            methods::low_bit(first.prepared, &networks[0], steps, (&images[0], &reference), options, tell);
        methods.push(rival?);
        if let Some(unsigned) = entrants.iter().find(|entrant| !entrant.library().is_signed()) {
            methods.push(methods::alwann(unsigned.prepared, unsigned.library(), options, tell)?);
        }
    }
    let cost_sources = cost_sources(searches.iter().map(|search| search.entrant.library()));
    let front = front(&verified, chosen, &picked);
    let chosen_point = verified.into_iter().nth(chosen).expect("the chosen point is one of the front");
    let convs = chosen_point.finalist.fitted.convs;
    Ok(Optimized {
        network: first.prepared.float.name.clone(),
        layers: network.convs().map(|(layer, _)| layer.name.clone()).collect(),
        scheme: chosen_point.scheme,
        verified: chosen_point.test,
        test_images: first.prepared.test.labels.len(),
        exact_accuracy_pct: accuracy,
        cost_sources,
        quantized: network.clone(),
        image,
        convs,
        chosen,
        front,
        methods,
        trials: trial_count,
        searches: searches.into_iter().map(|search| (search.entrant.scheme(), search.selection)).collect(),
    })
}

/// Why there is no point to choose.
fn no_choice(verified: &[Verified], target: &Target, budget_pp: f64) -> Error {
    let lossless = best_by_saving(verified, budget_pp, |_| true);
    Error::Argument(match (lossless, target.board) {
        (Some(_), Some(board)) => {
            target.refusal(board, budget_pp, verified.iter().map(|point| &point.finalist))
        }
        _ => format!(
            "no point of the front loses at most {budget_pp} points of accuracy; allow more with --max-loss"
        ),
    })
}

/// Which of the schemes are worth a search, and the points that tell.
fn contest(
    entrants: &[Entrant],
    images: &[Images],
    steps: Steps,
    tell: &Tell,
) -> Result<(Vec<bool>, Vec<Vec<TrialPoint>>)> {
    let mut trials = Vec::new();
    for (entrant, images) in entrants.iter().zip(images) {
        let done = |done| tell(Some(entrant.scheme()), Stage::Trial { done, of: most_points() });
        let network = &entrant.prepared.quantized;
        trials.push(trial(network, entrant.products, images, steps, None, done)?);
    }
    let worth = worth_a_search(&trials);
    for (entrant, _) in entrants.iter().zip(&worth).filter(|(_, worth)| !**worth) {
        tell(Some(entrant.scheme()), Stage::NotSearched);
    }
    Ok((worth, trials))
}

/// Refuses libraries whose costs come from several sources: a saving by one is no saving by the other.
pub fn check_cost_sources<'l>(libraries: impl IntoIterator<Item = &'l Library>) -> Result<()> {
    let multipliers = libraries.into_iter().flat_map(Library::multipliers);
    let mut examples: Vec<(CostSource, &String)> = Vec::new();
    for multiplier in multipliers {
        if !examples.iter().any(|(source, _)| *source == multiplier.cost_source) {
            examples.push((multiplier.cost_source, &multiplier.name));
        }
    }
    let [(one, first), (other, second), ..] = examples[..] else { return Ok(()) };
    Err(Error::Argument(format!(
        "the multipliers mix {one} costs (such as {first}'s) with {other} ones ({second}'s), which do not compare; \
         use one source, or allow it with --mix-cost-sources"
    )))
}

/// Where the costs of several libraries come from, each source once.
pub fn cost_sources<'l>(libraries: impl IntoIterator<Item = &'l Library>) -> Vec<CostSource> {
    let mut sources: Vec<CostSource> = libraries.into_iter().flat_map(Library::cost_sources).collect();
    sources.sort();
    sources.dedup();
    sources
}

/// Names of the multipliers of an assignment.
pub fn names(library: &Library, assignment: &[Choice]) -> Vec<String> {
    assignment.iter().map(|choice| choice.name(library)).collect()
}
