//! What a run was measured on.

use std::fs;

use serde::{Deserialize, Serialize};

use super::clock::kibibytes;

/// The machine and the build. What cannot be found out is `unknown`, or 0 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// The processor's own name.
    pub(crate) cpu: String,
    /// Cores that the process may use.
    pub(crate) cores: usize,
    /// All of it, in bytes.
    pub(crate) memory_bytes: u64,
    /// The system and its architecture, such as `linux x86_64`.
    pub(crate) os: String,
    /// The system's own version.
    pub(crate) kernel: String,
    /// Of this program.
    pub(crate) version: String,
    /// The features that it was built with.
    pub(crate) features: Vec<String>,
    /// `release`, or `dev` with debug assertions.
    pub(crate) profile: String,
}

impl Machine {
    /// This one.
    pub(crate) fn here() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let kernel = read("/proc/sys/kernel/osrelease");
        Self {
            cpu: cpu_name(&read("/proc/cpuinfo")).unwrap_or(UNKNOWN).to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: kibibytes(&read("/proc/meminfo"), "MemTotal:").unwrap_or(0),
            os: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            kernel: if kernel.is_empty() { UNKNOWN } else { kernel.trim() }.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            features: features(),
            profile: if cfg!(debug_assertions) { "dev" } else { "release" }.to_owned(),
        }
    }

    /// What keeps times of the two from being compared.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let pairs = [
            ("processor", &self.cpu, &other.cpu),
            ("cores", &self.cores.to_string(), &other.cores.to_string()),
            ("system", &self.os, &other.os),
            ("build profile", &self.profile, &other.profile),
        ];
        let told = |(what, here, there): (&str, &String, &String)| {
            (here != there).then(|| format!("{what}: {there} there, {here} here"))
        };
        pairs.into_iter().filter_map(told).collect()
    }

    /// What may make a difference and is often what is asked about.
    pub(crate) fn remarks(&self, other: &Self) -> Vec<String> {
        let features = |machine: &Self| machine.features.join(", ");
        let pairs = [
            ("kernel", self.kernel.clone(), other.kernel.clone()),
            ("features", features(self), features(other)),
        ];
        let told = |(what, here, there): (&str, String, String)| {
            (here != there).then(|| format!("{what}: {there} there, {here} here"))
        };
        pairs.into_iter().filter_map(told).collect()
    }
}

const UNKNOWN: &str = "unknown";

fn cpu_name(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim()).filter(|name| !name.is_empty())
}

fn features() -> Vec<String> {
    let all = [
        ("ffmpeg", cfg!(feature = "ffmpeg")),
        ("pdfium", cfg!(feature = "pdfium")),
        ("turbo", cfg!(feature = "turbo")),
        ("webp", cfg!(feature = "webp")),
    ];
    all.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_its_own_equal_and_no_others() {
        let here = Machine::here();
        assert!(here.cores > 0 && !here.cpu.is_empty());
        assert!(here.differences(&here).is_empty() && here.remarks(&here).is_empty());
        let other = Machine { cpu: "Z80".to_owned(), features: vec![], ..here.clone() };
        assert_eq!(here.differences(&other).len(), 1);
        assert!(here.differences(&other)[0].starts_with("processor: Z80 there, "));
        assert_eq!(here.remarks(&other).len(), usize::from(!here.features.is_empty()));
    }

    #[test]
    fn the_processor_has_a_name() {
        assert_eq!(
            cpu_name("processor : 0\nmodel name\t: Some CPU @ 3 GHz\n"),
            Some("Some CPU @ 3 GHz")
        );
        assert_eq!(cpu_name("model name :\n"), None);
    }
}
