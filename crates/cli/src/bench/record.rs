//! A run as it is printed, saved and read back.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use mediaprep::{Error, FileStamp, Input};
use serde::{Deserialize, Serialize};

use super::clock::Sample;
use super::machine::Machine;
use super::run::Measured;
use super::stage::{StageName, Unit};
use super::statistics::{FEWEST, Interval, MOST, interval, median};
use crate::failure::Failure;

/// The version of the format.
pub(crate) const SCHEMA: u32 = 1;
/// More than any run's file has.
const MOST_BYTES: u64 = 64 << 20;

/// Everything about one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) schema: u32,
    pub(crate) command: String,
    /// When it ended.
    pub(crate) measured_at: String,
    pub(crate) options: Options,
    pub(crate) inputs: Inputs,
    pub(crate) machine: Machine,
    pub(crate) stages: Vec<StageRecord>,
    /// What became of files that failed, each once.
    #[serde(default)]
    pub(crate) errors: Vec<FileError>,
}

/// What was asked for, as far as it changes the work. The day is not: the rule's row is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Options {
    pub(crate) model: String,
    pub(crate) service: String,
    pub(crate) meter: String,
    /// The row of the rule book.
    pub(crate) rule: String,
    /// Worker threads.
    pub(crate) threads: usize,
    /// What `--memory` said; `null` where it was not given.
    pub(crate) memory_bytes: Option<u64>,
}

impl Options {
    /// What keeps times of the two from being compared.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let memory = |bytes: Option<u64>| bytes.map_or("its default".to_owned(), |b| b.to_string());
        let rule = |options: &Self| {
            let Self { model, service, meter, rule, .. } = options;
            format!("{model}, {service}, {meter}, {rule}")
        };
        let pairs = [
            ("rule", rule(self), rule(other)),
            ("threads", self.threads.to_string(), other.threads.to_string()),
            ("memory", memory(self.memory_bytes), memory(other.memory_bytes)),
        ];
        let told = |(what, here, there): (&str, String, String)| {
            (here != there).then(|| format!("{what}: {there} there, {here} here"))
        };
        pairs.into_iter().filter_map(told).collect()
    }
}

/// What was worked on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inputs {
    /// Of the names and sizes of everything that was named or found, in hex. Names count from the
    /// deepest folder that holds them all, so that a folder may be moved.
    pub(crate) hash: String,
    /// Files that are media.
    pub(crate) files: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Files that are none.
    pub(crate) skipped: u64,
}

/// One stage of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StageRecord {
    pub(crate) name: String,
    /// What is done in it.
    pub(crate) does: String,
    /// Files that came out well each time.
    pub(crate) files: u64,
    /// Files that did not.
    pub(crate) failed: u64,
    /// Bytes of the files that did.
    pub(crate) bytes: u64,
    /// How much that was in the stage's own unit.
    pub(crate) units: f64,
    pub(crate) unit: Unit,
    /// Runs in each sample; times are those of one run.
    pub(crate) runs: u32,
    /// One of each round.
    pub(crate) samples: Vec<Sample>,
}

/// One file that failed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct FileError {
    pub(crate) path: String,
    /// Where in the engine's work.
    pub(crate) stage: String,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl StageRecord {
    /// What was measured of a stage, where `refused` files could not even be planned.
    pub(crate) fn new(name: StageName, refused: usize, measured: &Measured) -> Self {
        let done = &measured.done;
        Self {
            name: name.as_str().to_owned(),
            does: name.does().to_owned(),
            files: done.files,
            failed: (refused + done.errors.len()) as u64,
            bytes: done.bytes,
            units: done.units,
            unit: name.unit(),
            runs: measured.runs,
            samples: measured.samples.clone(),
        }
    }

    /// Seconds on the clock.
    pub(super) fn wall(&self) -> Vec<f64> {
        self.samples.iter().map(|sample| sample.wall_s).collect()
    }

    /// Seconds of CPU time.
    pub(super) fn cpu(&self) -> Vec<f64> {
        self.samples.iter().map(|sample| sample.cpu_s).collect()
    }

    /// The median share of the machine that others took; `None` where that is not known.
    pub(super) fn others(&self) -> Option<f64> {
        median(&self.samples.iter().map(|sample| sample.others).collect::<Option<Vec<_>>>()?)
    }

    /// The largest memory of any sample.
    fn peak(&self) -> Option<u64> {
        self.samples.iter().filter_map(|sample| sample.peak_bytes).max()
    }
}

/// The middle of some samples and where it may lie.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Middle {
    pub(crate) median: f64,
    #[serde(flatten)]
    pub(crate) interval: Option<Interval>,
}

impl Middle {
    fn of(samples: &[f64]) -> Self {
        Self { median: median(samples).unwrap_or(0.0), interval: interval(samples) }
    }
}

/// A stage with what its samples say.
#[derive(Debug, Serialize)]
pub(crate) struct Found<'a> {
    #[serde(flatten)]
    pub(crate) stage: &'a StageRecord,
    /// Seconds of one run.
    pub(crate) wall: Middle,
    pub(crate) cpu: Middle,
    /// Of all stages' medians on the clock, 0 to 1.
    pub(crate) share: f64,
    pub(crate) files_per_s: f64,
    pub(crate) bytes_per_s: f64,
    pub(crate) units_per_s: f64,
    /// `null` where the system does not say.
    pub(crate) peak_bytes: Option<u64>,
    /// The share of the machine that others took; `null` where the system does not say.
    pub(crate) others: Option<f64>,
}

impl Record {
    /// Every stage with what its samples say.
    pub(crate) fn found(&self) -> Vec<Found<'_>> {
        let walls = self.stages.iter().map(|stage| Middle::of(&stage.wall()));
        let walls: Vec<Middle> = walls.collect();
        let all: f64 = walls.iter().map(|wall| wall.median).sum();
        let found = |(stage, wall): (_, Middle)| {
            let stage: &StageRecord = stage;
            let each_second = |amount: f64| amount / wall.median.max(f64::MIN_POSITIVE);
            Found {
                stage,
                wall,
                cpu: Middle::of(&stage.cpu()),
                share: wall.median / all.max(f64::MIN_POSITIVE),
                files_per_s: each_second(stage.files as f64),
                bytes_per_s: each_second(stage.bytes as f64),
                units_per_s: each_second(stage.units),
                peak_bytes: stage.peak(),
                others: stage.others(),
            }
        };
        self.stages.iter().zip(walls).map(found).collect()
    }

    /// Reads a saved run.
    ///
    /// # Errors
    ///
    /// When it cannot be read or is no run of this format.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(|error| Failure::file(path, &error))?;
        file.take(MOST_BYTES)
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::file(path, &error))?;
        let refuse = |reason: String| {
            let message = format!("{}: no saved benchmark: {reason}", path.display());
            Failure::option(message, "name a file that 'mediaprep bench --save' wrote")
        };
        let record: Self =
            serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string()))?;
        match record.trouble() {
            Some(reason) => Err(refuse(reason)),
            None => Ok(record),
        }
    }

    fn trouble(&self) -> Option<String> {
        if self.schema != SCHEMA || self.command != "bench" {
            let found = (&self.command, self.schema);
            return Some(format!(
                "command {:?} with schema {}; expected: bench, {SCHEMA}",
                found.0, found.1
            ));
        }
        let odd = self.stages.iter().find(|stage| {
            let times = stage.samples.iter().flat_map(|sample| [sample.wall_s, sample.cpu_s]);
            let sound = times.into_iter().all(|time| time.is_finite() && time >= 0.0);
            !sound || !(FEWEST..=MOST).contains(&stage.samples.len())
        })?;
        let count = odd.samples.len();
        Some(format!(
            "{count} samples of {}; allowed: {FEWEST} to {MOST}, all of them times",
            odd.name
        ))
    }
}

impl FileError {
    /// As it is printed.
    pub(crate) fn of(error: &Error) -> Self {
        Self {
            path: error.input().to_owned(),
            stage: error.stage().as_str().to_owned(),
            code: error.code().to_owned(),
            message: error.cause(),
        }
    }
}

/// A hash of the names and sizes of files.
pub(crate) fn hash(inputs: &[Input]) -> String {
    let name = |input: &Input| input.file().map_or_else(|| input.name().into(), Path::to_owned);
    let names: Vec<PathBuf> = inputs.iter().map(name).collect();
    let root = names.iter().filter_map(|name| name.parent()).map(Path::to_owned);
    let root = root.reduce(|a, b| {
        let common = a.components().zip(b.components()).take_while(|(a, b)| a == b);
        common.map(|(component, _)| component).collect()
    });
    let root = root.unwrap_or_default();
    let lines: BTreeSet<(PathBuf, u64)> = names
        .iter()
        .map(|name| {
            let inside = name.strip_prefix(&root).unwrap_or(name).to_owned();
            (inside, FileStamp::of(name).map_or(0, |stamp| stamp.bytes))
        })
        .collect();
    let mut hasher = blake3::Hasher::new();
    for (name, bytes) in lines {
        hasher.update(name.as_os_str().as_encoded_bytes());
        // No name has a zero byte, so no two lists make the same text.
        hasher.update(&[0]);
        hasher.update(&bytes.to_le_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::bench) fn sample(time: f64) -> Sample {
        Sample { wall_s: time, cpu_s: time, others: Some(0.0), peak_bytes: None }
    }

    pub(in crate::bench) fn record(stages: &[(&str, f64)]) -> Record {
        let stage = |&(name, time): &(&str, f64)| StageRecord {
            name: name.to_owned(),
            does: format!("what {name} does"),
            files: 10,
            failed: 0,
            bytes: 1000,
            units: 5.0,
            unit: Unit::Tiles,
            runs: 1,
            samples: [0.99, 1.0, 1.01, 1.0, 1.0].map(|share| sample(time * share)).into(),
        };
        Record {
            schema: SCHEMA,
            command: "bench".to_owned(),
            measured_at: "2026-11-22T00:00:00Z".to_owned(),
            options: Options {
                model: "gemini".to_owned(),
                service: "vertex".to_owned(),
                meter: "billed".to_owned(),
                rule: "row".to_owned(),
                threads: 2,
                memory_bytes: None,
            },
            inputs: Inputs { hash: "00".to_owned(), files: 10, bytes: 1000, skipped: 0 },
            machine: Machine::here(),
            stages: stages.iter().map(stage).collect(),
            errors: Vec::new(),
        }
    }

    #[test]
    fn throughput_and_shares_follow_from_the_samples() {
        let record = record(&[("a", 1.0), ("b", 3.0)]);
        let found = record.found();
        assert_eq!((found[0].share, found[1].share), (0.25, 0.75));
        assert_eq!((found[0].files_per_s, found[0].bytes_per_s), (10.0, 1000.0));
        assert!((found[1].units_per_s - 5.0 / 3.0).abs() < 1e-12);
        let interval = found[0].wall.interval.unwrap();
        assert_eq!((interval.low, interval.high, interval.confidence), (0.99, 1.01, 0.9375));
    }

    #[test]
    fn what_is_saved_is_read_back_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("saved.json");
        let saved = record(&[("a", 1.0)]);
        std::fs::write(&path, serde_json::to_vec(&saved).unwrap()).unwrap();
        let read = Record::read(&path).ok().unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), serde_json::to_value(&saved).unwrap());
        let mut few = saved.clone();
        few.stages[0].samples.truncate(2);
        let other = Record { schema: 2, ..saved };
        for (bytes, says) in [
            (serde_json::to_vec(&few).unwrap(), "2 samples of a; allowed: 3 to 1000"),
            (serde_json::to_vec(&other).unwrap(), "schema 2"),
            (b"{}".to_vec(), "missing field"),
            (b"\xff\xfe".to_vec(), "no saved benchmark"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let failure = Record::read(&path).err().unwrap();
            assert!(failure.message.contains(says), "{}", failure.message);
        }
        assert!(Record::read(&folder.path().join("none")).is_err());
    }

    #[test]
    fn inputs_are_known_by_their_names_and_sizes() {
        let folder = tempfile::tempdir().unwrap();
        let make = |root: &str, files: &[(&str, &str)]| {
            let root = folder.path().join(root);
            let made = files.iter().map(|(name, text)| {
                let path = root.join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, text).unwrap();
                Input::path(path)
            });
            hash(&made.collect::<Vec<_>>())
        };
        let first = make("one", &[("a", "12"), ("b/c", "3")]);
        assert_eq!(first, make("moved/here", &[("a", "xy"), ("b/c", "z")]));
        assert_eq!(first, make("other", &[("b/c", "3"), ("a", "12")]));
        assert_ne!(first, make("two", &[("a", "123"), ("b/c", "3")]));
        assert_ne!(first, make("three", &[("a", "12"), ("b/d", "3")]));
        assert_ne!(first, make("four", &[("a", "12")]));
    }
}
