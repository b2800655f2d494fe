//! Two runs beside each other, stage by stage.

use serde::Serialize;

use super::record::{Record, StageRecord};
pub(crate) use super::statistics::Verdict;
use super::statistics::{Ratio, ratio};

/// A smaller change of CPU time is never called one: it differs by as much from one start of a program
/// to the next.
const LEAST_CPU: f64 = 0.05;
/// The same for time on the clock.
const LEAST_WALL: f64 = 0.10;
/// Where others took a larger share of the machine, the clock shows what they did.
const QUIET: f64 = 0.10;

/// How a run compares with an earlier one.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    /// The earlier one's file.
    pub(crate) baseline: String,
    /// The program's version there.
    pub(crate) version: String,
    /// When it was measured.
    pub(crate) measured_at: String,
    /// The stages of this run that are in both.
    pub(crate) stages: Vec<StageComparison>,
    /// What is to be known about it.
    pub(crate) remarks: Vec<String>,
}

/// How one stage compares.
#[derive(Debug, Serialize)]
pub(crate) struct StageComparison {
    pub(crate) name: String,
    pub(crate) cpu: Option<Ratio>,
    pub(crate) wall: Option<Ratio>,
    /// Whether both runs had the machine for themselves, so that the clock has a say.
    pub(crate) quiet: bool,
    pub(crate) verdict: Verdict,
}

impl Comparison {
    /// Holds a run against an earlier one that had the same options and inputs on the same machine.
    pub(crate) fn new(baseline: &str, before: &Record, now: &Record) -> Self {
        let mut remarks = now.machine.remarks(&before.machine);
        let mut stages = Vec::with_capacity(now.stages.len());
        for stage in &now.stages {
            let same = |other: &&StageRecord| other.name == stage.name && other.does == stage.does;
            let Some(other) = before.stages.iter().find(same) else {
                remarks.push(format!("{}: not in the baseline", stage.name));
                continue;
            };
            remarks.extend(other_work(other, stage));
            stages.push(StageComparison::new(other, stage));
        }
        let (version, measured_at) = (before.machine.version.clone(), before.measured_at.clone());
        Self { baseline: baseline.to_owned(), version, measured_at, stages, remarks }
    }

    /// The names of the stages that came out slower.
    pub(crate) fn slower(&self) -> Vec<&str> {
        let slower = self.stages.iter().filter(|stage| stage.verdict == Verdict::Slower);
        slower.map(|stage| stage.name.as_str()).collect()
    }
}

/// Says where the two did not do the same amount of work.
fn other_work(before: &StageRecord, now: &StageRecord) -> Option<String> {
    let same = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
    if (before.files, before.failed) != (now.files, now.failed) {
        let said = |stage: &StageRecord| format!("{} files, {} failed", stage.files, stage.failed);
        return Some(format!("{}: {} there, {} here", now.name, said(before), said(now)));
    }
    (!same(before.units, now.units))
        .then(|| format!("{}: {} units of work there, {} here", now.name, before.units, now.units))
}

impl StageComparison {
    fn new(before: &StageRecord, now: &StageRecord) -> Self {
        let is_quiet = |stage: &StageRecord| stage.others().is_some_and(|others| others <= QUIET);
        let cpu = ratio(&before.cpu(), &now.cpu(), LEAST_CPU);
        let wall = ratio(&before.wall(), &now.wall(), LEAST_WALL);
        let quiet = is_quiet(before) && is_quiet(now);
        let name = now.name.clone();
        Self { name, cpu, wall, quiet, verdict: verdict(cpu, wall.filter(|_| quiet)) }
    }
}

/// Slower by either is slower: what takes less CPU time but longer has lost something too.
fn verdict(cpu: Option<Ratio>, wall: Option<Ratio>) -> Verdict {
    let said = [cpu, wall].map(|ratio| ratio.map(|ratio| ratio.verdict));
    let says = |verdict| said.contains(&Some(verdict));
    if says(Verdict::Slower) {
        Verdict::Slower
    } else if says(Verdict::Faster) {
        Verdict::Faster
    } else {
        Verdict::Same
    }
}

/// What keeps a run from being compared with an earlier one; empty where nothing does.
pub(crate) fn differences(before: &Record, now: &Record) -> Vec<String> {
    let mut all = now.options.differences(&before.options);
    let (there, here) = (&before.inputs, &now.inputs);
    if there.hash != here.hash {
        let said = |inputs: &super::Inputs| {
            format!("{} files of {} bytes, {} others", inputs.files, inputs.bytes, inputs.skipped)
        };
        let which = if said(there) == said(here) { ", of other names" } else { "" };
        all.push(format!("inputs: {} there, {} here{which}", said(there), said(here)));
    }
    all.extend(now.machine.differences(&before.machine));
    all
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::record;
    use super::*;

    fn scaled(mut record: Record, factor: f64) -> Record {
        for sample in record.stages.iter_mut().flat_map(|stage| &mut stage.samples) {
            sample.wall_s *= factor;
            sample.cpu_s *= factor;
        }
        record
    }

    #[test]
    fn a_run_with_scaled_samples_is_slower_by_that() {
        let before = record(&[("a", 1.0), ("b", 3.0)]);
        for (factor, verdict) in [
            (1.0, Verdict::Same),
            (1.02, Verdict::Same),
            (2.0, Verdict::Slower),
            (0.5, Verdict::Faster),
        ] {
            let found = Comparison::new("x", &before, &scaled(before.clone(), factor));
            assert_eq!(found.stages.len(), 2);
            for stage in &found.stages {
                assert_eq!(stage.verdict, verdict, "{factor}");
                assert!((stage.cpu.unwrap().ratio - factor).abs() < 1e-9);
            }
            let slower: &[&str] = if verdict == Verdict::Slower { &["a", "b"] } else { &[] };
            assert_eq!(found.slower(), slower);
        }
    }

    #[test]
    fn the_clock_has_a_say_on_a_quiet_machine_only() {
        let before = record(&[("a", 1.0)]);
        let mut now = before.clone();
        now.stages[0].samples.iter_mut().for_each(|sample| sample.wall_s *= 3.0);
        assert_eq!(Comparison::new("x", &before, &now).stages[0].verdict, Verdict::Slower);
        for others in [Some(0.5), None] {
            now.stages[0].samples.iter_mut().for_each(|sample| sample.others = others);
            let stage = &Comparison::new("x", &before, &now).stages[0];
            assert_eq!((stage.quiet, stage.verdict), (false, Verdict::Same));
            assert_eq!(stage.wall.unwrap().verdict, Verdict::Slower);
        }
    }

    #[test]
    fn slower_by_either_clock_is_slower() {
        let (before, mut now) = (record(&[("a", 1.0)]), record(&[("a", 1.0)]));
        for sample in &mut now.stages[0].samples {
            (sample.wall_s, sample.cpu_s) = (2.0, 0.5);
        }
        assert_eq!(Comparison::new("x", &before, &now).stages[0].verdict, Verdict::Slower);
    }

    #[test]
    fn other_work_is_said() {
        let before = record(&[("a", 1.0), ("b", 1.0)]);
        let mut now = record(&[("a", 1.0), ("b", 1.0), ("c", 1.0)]);
        now.stages[0].failed = 2;
        now.stages[1].units = 7.0;
        let remarks = Comparison::new("x", &before, &now).remarks;
        assert_eq!(
            remarks,
            [
                "a: 10 files, 0 failed there, 10 files, 2 failed here",
                "b: 5 units of work there, 7 here",
                "c: not in the baseline",
            ]
        );
    }

    #[test]
    fn runs_of_other_things_are_told_apart() {
        let before = record(&[("a", 1.0)]);
        assert!(differences(&before, &before).is_empty());
        let mut now = before.clone();
        (now.options.threads, now.inputs.files, now.machine.cores) = (7, 9, 1000);
        now.inputs.hash = "01".to_owned();
        let told = differences(&before, &now);
        for (told, says) in
            told.iter().zip(["threads: 2 there, 7 here", "inputs: 10 files", "cores: "])
        {
            assert!(told.starts_with(says), "{told}");
        }
        assert_eq!(told.len(), 3);
    }
}
