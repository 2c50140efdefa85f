//! All of a space instead of a search, for spaces that are small enough.

use super::nsga2::{Outcome, check_evaluations};
use super::problem::{Evaluation, Point, Problem};
use super::sort::non_dominated;
use crate::error::{Error, Result};
use std::ops::ControlFlow;

/// Evaluates `genomes`, all different, `batch` at a time. Only the front is kept: it is the outcome's
/// population too.
///
/// `on_batch` gets the number of evaluations and the front so far, sorted by the objectives; `Break` ends
/// the enumeration there. The outcome is interrupted if any genome was left.
pub fn exhaustive<P: Problem>(
    problem: &P,
    genomes: impl IntoIterator<Item = P::Genome>,
    batch: usize,
    mut on_batch: impl FnMut(usize, &[Point<P::Genome>]) -> ControlFlow<()>,
) -> Result<Outcome<P::Genome>> {
    if batch == 0 {
        return Err(Error::Argument("batches of at least 1 genome are needed".to_owned()));
    }
    let mut genomes = genomes.into_iter().peekable();
    let mut front: Vec<Point<P::Genome>> = Vec::new();
    let mut evaluations = 0;
    let mut flow = ControlFlow::Continue(());
    while flow.is_continue() && genomes.peek().is_some() {
        let new: Vec<P::Genome> = genomes.by_ref().take(batch).collect();
        let evaluated = problem.evaluate(&new)?;
        check_evaluations(new.len(), front.first().map(|p| &p.evaluation), &evaluated)?;
        evaluations += new.len();
        let new = new.into_iter().zip(evaluated).map(|(genome, evaluation)| Point { genome, evaluation });
        front.extend(new);
        front = front_of(front);
        flow = on_batch(evaluations, &front);
    }
    Ok(Outcome {
        population: front.clone(),
        front,
        evaluations,
        memo_hits: 0,
        generations: 0,
        interrupted: genomes.peek().is_some(),
    })
}

/// Those of `points` that no other dominates; of several with the same objectives the first.
fn front_of<G>(points: Vec<Point<G>>) -> Vec<Point<G>> {
    let evaluations: Vec<&Evaluation> = points.iter().map(|p| &p.evaluation).collect();
    let kept = non_dominated(&evaluations);
    let mut points: Vec<Option<Point<G>>> = points.into_iter().map(Some).collect();
    kept.into_iter().filter_map(|i| points[i].take()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::genome::{Genome, Mapping};
    use crate::search::tests::{Additive, go};
    use crate::search::{Settings, hypervolume, run};

    fn on_the_way(_: usize, _: &[Point<Genome>]) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn volume(outcome: &Outcome<Genome>, reference: &[f64]) -> f64 {
        let points: Vec<&[f64]> = outcome.front.iter().map(|p| p.evaluation.objectives()).collect();
        hypervolume(&points, reference)
    }

    #[test]
    fn searches_come_close_to_the_exact_front() {
        for (mapping, layers, tiles) in [(Mapping::Free, 7, 3), (Mapping::Contiguous, 9, 4)] {
            let problem = Additive::new(mapping, layers, tiles, 6);
            let exact = exhaustive(&problem, problem.space.all(), 1000, on_the_way).unwrap();
            assert_eq!(Some(exact.evaluations as u128), problem.space.count());
            assert_eq!(exact.population, exact.front);
            assert!(!exact.interrupted);
            let settings = Settings { population: 50, generations: 150, seed: 1, screen: 1 };
            let found = run(&problem, &settings, &[], go).unwrap();
            assert!(found.evaluations < exact.evaluations / 3);
            let all = problem.space.all().map(|genome| problem.objectives(&genome));
            let reference = all.reduce(|a, b| vec![a[0].max(b[0]), a[1].max(b[1])]).unwrap();
            let (found, exact) = (volume(&found, &reference), volume(&exact, &reference));
            assert!(found <= exact && found >= 0.99 * exact, "{mapping:?}: {found} of {exact}");
        }
    }

    #[test]
    fn batches_do_not_matter() {
        let problem = Additive::new(Mapping::Contiguous, 6, 3, 4);
        let fronts = [1, 7, 100_000]
            .map(|batch| exhaustive(&problem, problem.space.all(), batch, on_the_way).unwrap().front);
        assert!(fronts[0].len() > 10);
        assert_eq!(fronts[0], fronts[1]);
        assert_eq!(fronts[0], fronts[2]);
        assert!(exhaustive(&problem, problem.space.all(), 0, on_the_way).is_err());
    }

    #[test]
    fn ends_where_the_callback_says() {
        let problem = Additive::new(Mapping::Free, 4, 2, 5);
        let until = |last: usize| {
            let stop = |evaluations: usize, front: &[Point<Genome>]| {
                assert!(!front.is_empty());
                if evaluations < last { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            exhaustive(&problem, problem.space.all(), 29, stop).unwrap()
        };
        let part = until(58);
        assert!(part.interrupted && part.evaluations == 58);
        let whole = until(145);
        assert!(!whole.interrupted && whole.evaluations == 145, "nothing was left");
    }
}
